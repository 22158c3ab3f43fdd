#include "cli/machine.h"

#include <filesystem>

#include "cli/daemons.h"

namespace freehold::cli {

bool is_machine_file(const std::string& path) {
  std::error_code failure;
  return std::filesystem::absolute(path, failure).lexically_normal() == kMachineFile;
}

bool is_machine_state(const model::Layout& layout) { return layout.root == kMachineState; }

int stop_from_unit(const std::string& state) {
  Invocation invocation;
  Session session(invocation, model::Layout{state});
  auto stopped = finish_by_agent(session, Instances::kStop);
  // Without an agent the units below this one end what runs.
  if (!stopped && stopped.error().code() != ErrorCode::kUnavailable) return fail(invocation, stopped.error());
  return kDone;
}

}  // namespace freehold::cli
