// Leases: the right to do one thing alone for a while, such as an apply, that survives its owner's sudden end.
//
//   Leases leases(store, clock, {.boot = boot_id, .span = LeaseSpan::kOneMachine});
//   FH_ASSIGN(Lease lease, leases.acquire("apply", "control 4711/8812", 30s, "apply of generation 5 by ada"));
//   ... every 10 s: FH_ASSIGN(lease, leases.heartbeat(lease));
//   store.commit(Write().expect(lease.key(), lease.revision).put(...));   // refused if the lease is lost meanwhile
//   leases.release(lease);
//
// A lease is an entry below "leases/" of any Store, so every engine has them, and a write can name it as a condition.
//
// Time. Wall clocks jump, so none is used. A lease stores the boot id and the time since boot at which it expires; in
// the same boot the two are compared. Found in another boot, with kOneMachine its owner ended with that boot: expired.
// With kManyMachines it may live on another machine: it expires once this reader has seen it unchanged for its whole
// time to live, by the reader's own monotonic clock.
//
// `owner` must be unique to a process (pid and start time): acquiring again as the same owner succeeds, so that a call
// whose answer was lost can be repeated. Any one thread at a time per Leases object.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "os/clock.h"
#include "store/store.h"

namespace freehold::store {

enum class LeaseSpan { kOneMachine, kManyMachines };

struct Lease {
  std::string name{};
  std::string owner{};
  std::string message{};  // what it is held for, for a person
  Duration ttl{};
  WallTime taken{};  // by its owner; for display only, as `renewed` is
  WallTime renewed{};
  Revision revision{};
  std::string key() const { return lease_key(name); }
  static std::string lease_key(std::string_view name);
};

struct LeaseState {
  Lease lease;
  bool expired = false;
  Duration left{};  // zero if expired
};

class Leases {
 public:
  struct Options {
    std::string boot;  // os::boot_id()
    LeaseSpan span = LeaseSpan::kOneMachine;
  };
  Leases(Store& store, const os::Clock& clock, Options options)
      : store_(store), clock_(clock), options_(std::move(options)) {}

  // kConflict, saying who holds it, for what and for how long, while it is held by another owner.
  Result<Lease> acquire(std::string_view name, std::string_view owner, Duration ttl, std::string_view message);
  // Renews for another ttl; also after expiry if nobody has taken it. kConflict if somebody has, or it was released.
  Result<Lease> heartbeat(const Lease& lease);
  // Gives it up; not having it any more is no error.
  Result<void> release(const Lease& lease);
  // Takes it from an owner that the caller knows to be gone. kConflict if another owner has it by now.
  Result<void> release(std::string_view name, std::string_view owner);
  Result<LeaseState> read(std::string_view name);  // kNotFound if nobody has taken it

 private:
  struct Sighting {
    Revision revision;
    MonotonicTime at;
  };
  Result<Lease> write(Lease lease, Revision expected);

  Store& store_;
  const os::Clock& clock_;
  const Options options_;
  std::map<std::string, Sighting, std::less<>> sightings_;  // of leases of other boots
};

}  // namespace freehold::store
