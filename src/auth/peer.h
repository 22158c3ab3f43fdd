// Who may use the API's unix socket: a pure decision over what the kernel says of the peer (SO_PEERCRED,
// SO_PEERGROUPS).
//
// Admitted: root, the owner of this Freehold, members of the group freehold. Never: the uids that hosted services run
// under, whatever groups they are in, and uids that stand for "nobody known" (65534, -1), to which those of foreign
// user namespaces are mapped. Everybody else is refused.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace freehold::auth {

struct Peer {
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  std::vector<gid_t> groups;  // the supplementary ones
};

struct UidRange {
  uid_t first = 0;
  uid_t last = 0;  // included
};

struct PeerPolicy {
  uid_t owner = 0;                 // who runs control
  std::vector<gid_t> groups;       // the group freehold; empty if the machine has none
  std::optional<UidRange> hosted;  // none where services run as the owner (rootless)
};

enum class PeerRule { kRoot, kOwner, kGroup, kHosted, kNobody, kStranger };

// The rule that decides: the first that applies of kHosted, kNobody, kRoot, kOwner, kGroup; otherwise kStranger.
PeerRule rule_for(const PeerPolicy& policy, const Peer& peer);
bool is_admitted(PeerRule rule);
// Why, for the refused one's message: "uid 20001 belongs to a hosted service".
std::string explain(PeerRule rule, const Peer& peer);

}  // namespace freehold::auth
