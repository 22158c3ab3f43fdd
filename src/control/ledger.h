// Ledger: what control must never lose, and how it lies in the store.
//
//   control/epoch        grows with each start of control; every write expects it, which fences out a forgotten one
//   control/current      number of the current generation
//   control/desired      DesiredState
//   control/rollout      the last Rollout, running or ended
//   control/overrides    Overrides
//   control/allocations  Allocations
//   generations/NNNNNNNNNN  Generation
//   secrets/HASH         a secret's value, sealed; named by its keyed hash
//
// The parts that changed in one step go into one transaction: a crash finds all of them or none. One thread.
#pragma once

#include <optional>
#include <vector>

#include "control/rollout.h"
#include "store/lease.h"
#include "store/store.h"

namespace freehold::control {

class Ledger {
 public:
  // Takes the fence: a control that is still running with this store fails at its next write.
  static Result<Ledger> open(store::Store& store);

  // What is in force. Change these and call commit() with what was changed.
  uint64_t current = 0;
  DesiredState desired;
  std::optional<Rollout> rollout;
  Overrides overrides;
  Allocations allocations;

  struct Changed {
    bool current = false;
    bool desired = false;
    bool rollout = false;
    bool overrides = false;
    bool allocations = false;
    std::vector<const Generation*> generations;
    std::map<std::string, std::string> secrets;  // hash -> sealed value
    const store::Lease* lease = nullptr;         // must still be held
  };
  // kConflict: another control took over, or the lease was lost; this one must end.
  Result<void> commit(const Changed& changed);

  Result<Generation> generation(uint64_t number);
  // The newest first, at most `limit`.
  Result<std::vector<Generation>> generations(size_t limit);
  uint64_t last_generation() const { return last_generation_; }
  Result<std::string> sealed_secret(const std::string& hash);
  // Removes generations and secrets that are not among the newest `keep` and not needed. Gives what remains.
  Result<std::vector<Generation>> prune(size_t keep);

 private:
  explicit Ledger(store::Store& store) : store_(&store) {}
  Result<void> load();

  store::Store* store_;
  store::Revision epoch_;
  uint64_t last_generation_ = 0;
};

}  // namespace freehold::control
