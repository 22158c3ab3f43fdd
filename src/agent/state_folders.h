// The ground that an agent stands on: its state directory with every folder and owner as it must be, the lock that
// makes it the only one, its policy, and the users that it may give out.
#pragma once

#include <optional>
#include <string>

#include "agent/launch_spec.h"
#include "agent/policy.h"
#include "model/layout.h"
#include "net/connect.h"
#include "os/fd.h"
#include "os/user.h"

namespace freehold::agent {

struct Ground {
  model::Layout layout;
  os::Fd lock;  // held for as long as we live
  Policy policy;
  std::string boot_id;
  std::string memory_folder;
  std::optional<os::UserRange> users;  // none: rootless
  std::optional<UserIds> control_user;
  std::optional<UserIds> gateway_user;
  std::optional<gid_t> log_group;  // control's: it reads what services print
};

// Whom control and the gateway run as, where we are root: users of our own range, or, where they are units of systemd,
// the ones that the package made.
enum class DaemonUsers { kOwn, kInstalled };
inline constexpr const char* kControlUser = "freehold";
inline constexpr const char* kGatewayUser = "freehold-gateway";

// kConflict if another agent has this state; kDenied if the policy is not root's own.
Result<Ground> prepare_ground(os::Disk& disk, const std::string& state, DaemonUsers users);
// Control reads and uses the keys that we made.
Result<void> hand_over_keys(os::Disk& disk, const Ground& ground);
// Who may run a command as a service: who may use the API.
Result<void> admit(const Ground& ground, const net::PeerCredentials& credentials);
// Our own standard error is a file that nobody else rotates: begins it anew when it has grown large.
void bound_own_log(const std::string& path);

}  // namespace freehold::agent
