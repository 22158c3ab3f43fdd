#include "cli/state_directory.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "cli/machine.h"

namespace freehold::cli {

Result<std::string> state_base() {
  if (geteuid() == 0) return std::string("/var/lib/freehold");
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::string(state) + "/freehold";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string(home) + "/.local/state/freehold";
  return Error(ErrorCode::kInvalid,
               "neither HOME nor XDG_STATE_HOME is set; say where the state shall be with --state DIR");
}

Result<std::string> find_state_directory(os::Disk& disk, const std::string& given, const std::string& organisation) {
  if (!given.empty()) {
    std::error_code failure;
    std::string path = std::filesystem::absolute(given, failure).lexically_normal().string();
    if (failure)
      return Error(ErrorCode::kInvalid, fmt::format("cannot make {} absolute: {}", given, failure.message()));
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
  }
  FH_ASSIGN(std::string base, state_base());
  if (!organisation.empty()) return os::join_path(base, organisation);
  std::vector<std::string> names;
  if (auto entries = disk.list(base)) {
    for (const os::FileInfo& entry : *entries) {
      if (entry.kind == os::FileKind::kDirectory) names.push_back(entry.name);
    }
  }
  if (names.size() == 1) return os::join_path(base, names.front());
  if (names.empty() && disk.exists(kMachineState)) return std::string(kMachineState);
  if (names.empty()) {
    return Error(
        ErrorCode::kNotFound,
        fmt::format(
            "there is no freehold.yaml here and no organisation in {}; go to its folder, or use --config or --state",
            base));
  }
  return Error(ErrorCode::kInvalid, fmt::format("which organisation? {} has {}; use --state {}/NAME, or --config FILE",
                                                base, join(names, ", "), base));
}

}  // namespace freehold::cli
