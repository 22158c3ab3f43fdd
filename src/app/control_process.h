// The control process: desired state, rollouts, events and the API of one organisation, wired together.
#pragma once

#include <string>

#include "base/result.h"
#include "os/service_manager.h"

namespace freehold::app {

struct ControlOptions {
  std::string state;  // absolute; its folders exist and are ours
  // "FIRST-LAST": uids of services, which may not use the API; kRegistered: as the machine's registry has them, for
  // control as a unit; empty: rootless.
  std::string hosted;
  static constexpr const char* kRegistered = "registered";
};

// Until SIGTERM. The API's socket is `manager`'s, if it has one for us.
Result<void> run_control(const ControlOptions& options, os::ServiceManager manager);

}  // namespace freehold::app
