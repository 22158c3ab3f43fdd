// Lock: who may change the organisation now. A rollout holds the lease "apply" from its first step to its last and
// renews it; whoever comes meanwhile is refused. This is what people see of it, and what they may do about it.
//
// What ends a lock: the end of its rollout; `release`, which is refused while the rollout goes on, unless it is forced:
// then the rollout ends where it stands, as one whose on_failure is `hold`. A lock of a control that is gone is taken
// over by the next one, runs out by itself, or is released without force. Values only.
#pragma once

#include <string>

#include "base/time.h"
#include "codec/fields.h"
#include "store/lease.h"

namespace freehold::control {

inline constexpr std::string_view kChangesLease = "apply";

struct Lock {
  bool held = false;
  bool lives = false;  // its holder goes on, and renews it
  std::string what;    // "apply of generation 5 by ada"
  std::string who;     // asked for that
  std::string holder;  // the process: "control 4711/8812"
  WallTime since{};    // it was taken
  WallTime renewed{};  // last
  Duration left{};     // until it runs out, unless renewed
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Lock>& lock) {
  v("held", lock.held);
  v("lives", lock.lives, {"its holder goes on, and renews it"});
  v("what", lock.what, {"for people: what it is held for"});
  v("who", lock.who, {"who asked for that"});
  v("holder", lock.holder, {"the process that holds it"});
  v("since", lock.since);
  v("renewed", lock.renewed);
  v("left", lock.left, {"until it runs out, unless renewed"});
}

// As the store has it; not held if nobody took it or it ran out. `lives` is for its reader to find out.
Result<Lock> read_lock(store::Leases& leases);

}  // namespace freehold::control
