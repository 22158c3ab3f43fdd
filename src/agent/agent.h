// The agent of one node: starts, limits, watches and stops what is wanted here, opens the sockets that users connect
// to, and keeps control, the gateway and its own watcher running. Root where there is root, rootless otherwise.
//
// It goes on with what it last stored when control is gone, and takes over what runs when it was gone itself.
#pragma once

#include <string>

#include "base/result.h"
#include "os/process.h"
#include "os/service_manager.h"

namespace freehold::agent {

struct AgentOptions {
  std::string state;                     // absolute
  std::string program;                   // path of the freehold executable, for starting the daemons
  std::string daemon_program = program;  // as control and the gateway can reach it
  pid_t watcher = 0;                     // who starts us again; 0: nobody, or systemd
  std::string log;                       // where our standard error goes, kept bounded; empty: elsewhere
  // Under systemd: the control group that was delegated for instances, from the root of the hierarchy. Control and the
  // gateway are units then, as we are, and are started by nobody here. Empty: there is no systemd.
  std::string delegated;

  bool is_unit() const { return !delegated.empty(); }
};

// How the agent's process ends, for its watcher: after kExitAsked it is started again, after the others not.
inline constexpr int kExitFinished = 0;
inline constexpr int kExitCannotStart = 1;
inline constexpr int kExitAsked = 2;

enum class AgentEnd {
  kFinished,  // everything was stopped on request: do not start it again
  kAsked,     // a signal: what runs goes on
};

// Blocks until the end. An error means that it could not start, and trying again will not help.
Result<AgentEnd> run_agent(const AgentOptions& options, const os::ServiceManager& manager);

}  // namespace freehold::agent
