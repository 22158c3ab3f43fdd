// Policy: what this node lets anybody ask of it, whatever control says. Owned by root, beside the state.
//
//   policy.yaml
//     ports: 20000-29999          # what ${PORT} is taken from
//     volumes: [/srv, /var/lib]   # volumes with a path must lie below one of these
//     root: [backup]              # services that may run as root
//     users: [www-data]           # system users that services may run as
//
// Every key may be left out; a missing file is all defaults: no service is root, none borrows a user of the system.
// Values only; reading and checking are pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/port_pool.h"
#include "model/instance.h"

namespace freehold::agent {

struct Policy {
  PortRange ports;
  std::vector<std::string> volume_roots = {"/srv", "/var/lib"};
  std::vector<std::string> root_services;
  std::vector<std::string> users;
};

// kInvalid with line and column, and what would be right.
Result<Policy> parse_policy(std::string_view text);

// kDenied, saying which line of the policy would allow it. `own_volumes` is the folder that the platform keeps volumes
// in.
Result<void> check_allowed(const Policy& policy, const model::Runtime& runtime, std::string_view own_volumes);

}  // namespace freehold::agent
