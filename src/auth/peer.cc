#include "auth/peer.h"

#include <fmt/core.h>

#include <algorithm>

namespace freehold::auth {

PeerRule rule_for(const PeerPolicy& policy, const Peer& peer) {
  constexpr auto kOverflow = uid_t{65534};
  constexpr auto kUnknown = static_cast<uid_t>(-1);
  if (policy.hosted && peer.uid >= policy.hosted->first && peer.uid <= policy.hosted->last) return PeerRule::kHosted;
  if (peer.uid == kOverflow || peer.uid == kUnknown) return PeerRule::kNobody;
  if (peer.uid == 0) return PeerRule::kRoot;
  if (peer.uid == policy.owner) return PeerRule::kOwner;
  bool member = std::ranges::any_of(policy.groups, [&](gid_t group) {
    return group == peer.gid || std::ranges::find(peer.groups, group) != peer.groups.end();
  });
  return member ? PeerRule::kGroup : PeerRule::kStranger;
}

bool is_admitted(PeerRule rule) {
  switch (rule) {
    case PeerRule::kRoot:
    case PeerRule::kOwner:
    case PeerRule::kGroup:
      return true;
    case PeerRule::kHosted:
    case PeerRule::kNobody:
    case PeerRule::kStranger:
      return false;
  }
  return false;
}

std::string explain(PeerRule rule, const Peer& peer) {
  switch (rule) {
    case PeerRule::kRoot:
      return "root";
    case PeerRule::kOwner:
      return fmt::format("uid {} owns this Freehold", peer.uid);
    case PeerRule::kGroup:
      return fmt::format("uid {} is in the group freehold", peer.uid);
    case PeerRule::kHosted:
      return fmt::format("uid {} belongs to a hosted service, which may not use the API", peer.uid);
    case PeerRule::kNobody:
      return "the kernel does not say who this is (another user namespace?)";
    case PeerRule::kStranger:
      break;
  }
  return fmt::format("uid {} is neither root, nor the owner, nor in the group freehold", peer.uid);
}

}  // namespace freehold::auth
