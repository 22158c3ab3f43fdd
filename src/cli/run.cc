#include <array>

#include "cli/machine.h"
#include "cli/project.h"
#include "cli/state_directory.h"
#include "cli/verbs.h"

namespace freehold::cli {
namespace {

struct Verb {
  std::string_view name;
  int (*run)(const Invocation&);
};

// clang-format off: a line each, so that a new one is a line
constexpr std::array kVerbs = {
    Verb{"validate", &run_validate},
    Verb{"plan", &run_plan},
    Verb{"up", &run_up},
    Verb{"down", &run_down},
    Verb{"restart", &run_restart},
    Verb{"scale", &run_scale},
    Verb{"drain", &run_drain},
    Verb{"lock", &run_lock},
    Verb{"rollback", &run_rollback},
    Verb{"status", &run_status},
    Verb{"history", &run_history},
    Verb{"diff", &run_diff},
    Verb{"events", &run_events},
    Verb{"logs", &run_logs},
    Verb{"exec", &run_exec},
    Verb{"jobs", &run_jobs},
    Verb{"run", &run_run},
    Verb{"doctor", &run_doctor},
    Verb{"backup", &run_backup},
    Verb{"verify", &run_verify},
    Verb{"restore", &run_restore},
    Verb{"keygen", &run_keygen},
    Verb{"init", &run_init},
    Verb{"fmt", &run_fmt},
    Verb{"explain", &run_explain},
    Verb{"schema", &run_schema},
    Verb{"help", &run_help},
    Verb{"completion", &run_completion},
    Verb{"man", &run_man},
    Verb{"version", &run_version},
    Verb{"export", &run_export},
};
// clang-format on

}  // namespace

Result<model::Layout> layout_of(const Invocation& invocation) {
  os::Disk& disk = os::system_disk();
  if (invocation.state.empty() && is_machine_file(config_path(invocation))) return model::Layout{kMachineState};
  std::string name = invocation.state.empty() ? outline_of(disk, config_path(invocation)).name : "";
  FH_ASSIGN(std::string root, find_state_directory(disk, invocation.state, name));
  return model::Layout{root};
}

int run(int count, char** words) {
  Parsed parsed = parse_command_line(count, words);
  if (parsed.exit_code) return *parsed.exit_code;
  for (const Verb& verb : kVerbs) {
    if (verb.name == parsed.invocation.verb) return verb.run(parsed.invocation);
  }
  return kUsage;
}

}  // namespace freehold::cli
