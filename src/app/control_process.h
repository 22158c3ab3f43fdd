// The control process: desired state, rollouts, events and the API of one organisation, wired together.
#pragma once

#include <string>

#include "base/result.h"

namespace freehold::app {

struct ControlOptions {
  std::string state;   // absolute; its folders exist and are ours
  std::string hosted;  // "FIRST-LAST": uids of services, which may not use the API; empty: rootless
};

// Until SIGTERM.
Result<void> run_control(const ControlOptions& options);

}  // namespace freehold::app
