// One executable, several roles: the operator's verbs, or, as `freehold daemon ROLE STATE`, one of the daemons. Those
// are started by each other and by systemd, not by people, and so are no verbs.
#include <fmt/core.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <span>
#include <string>

#include "agent/agent.h"
#include "agent/watcher_guard.h"
#include "app/control_process.h"
#include "base/log.h"
#include "cli/machine.h"
#include "cli/verbs.h"
#include "gateway/gateway.h"
#include "model/layout.h"
#include "os/spawn.h"

namespace freehold::app {
namespace {

int explain(const Error& error) {
  log_error("freehold", "{}", error.message());
  return EXIT_FAILURE;
}

pid_t number_of(std::string_view text) {
  pid_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// `argument`: the watcher's pid, or, where we are a unit of systemd, the control group that was delegated for
// instances.
int agent_role(const std::string& program, const std::string& state, const std::string& argument) {
  os::ServiceManager manager = os::ServiceManager::take_from_environment();
  bool is_unit = argument.starts_with('/');
  auto end = agent::run_agent({.state = state,
                               .program = program,
                               .watcher = is_unit ? 0 : number_of(argument),
                               .log = is_unit ? "" : model::Layout{state}.platform_logs() + "/agent.log",
                               .delegated = is_unit ? argument : ""},
                              manager);
  if (!end) {
    explain(end.error());
    return agent::kExitCannotStart;
  }
  return *end == agent::AgentEnd::kFinished ? agent::kExitFinished : agent::kExitAsked;
}

int gateway_role(const std::string& state) {
  model::Layout layout{state};
  gateway::GatewayOptions options;
  options.agent_socket = layout.gateway_socket();
  options.access_log = layout.access_log() + "/access";
  options.manager = os::ServiceManager::take_from_environment();
  auto ended = gateway::run_gateway(std::move(options));
  return ended ? EXIT_SUCCESS : explain(ended.error());
}

// freehold daemon ROLE STATE [ARGUMENT]
int daemon_role(std::span<char*> words) {
  if (words.size() < 4) return cli::kUsage;
  std::string role = words[2], state = words[3], argument = words.size() > 4 ? words[4] : "";
  auto program = os::own_executable();
  if (!program) return explain(program.error());
  if (role == "watcher") return agent::run_watcher(*program, state, number_of(argument));
  if (role == "agent") return agent_role(*program, state, argument);
  if (role == "gateway") return gateway_role(state);
  if (role == "stop") return cli::stop_from_unit(state);
  if (role == "control") {
    auto ended = run_control({state, argument}, os::ServiceManager::take_from_environment());
    return ended ? EXIT_SUCCESS : explain(ended.error());
  }
  fmt::print(stderr, "freehold: there is no daemon '{}'\n", role);
  return cli::kUsage;
}

}  // namespace
}  // namespace freehold::app

int main(int count, char** words) {
  // A client that goes away is an error of one write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  if (count > 1 && std::string_view(words[1]) == "daemon")
    return freehold::app::daemon_role({words, static_cast<size_t>(count)});
  return freehold::cli::run(count, words);
}
