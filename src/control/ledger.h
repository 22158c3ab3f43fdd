// Ledger: what control must never lose, and how it lies in the store.
//
//   control/epoch            grows with each start of control; every write expects it, which fences out a forgotten one
//   control/format           version of all of this
//   control/current          number of the current generation
//   control/desired          DesiredState, and of it
//     control/routing          the routing in force
//     desired/SERVICE          DesiredService
//   control/rollout          the last Rollout, and while it runs
//     control/rollout-routing  the routing it leads to, and the one it came from
//     rollout/SERVICE          ServiceRollout
//   control/overrides        Overrides
//   control/allocations      Allocations
//   generations/NNNNNNNNNN   GenerationHead, and organisations/NNNNNNNNNN what the file said
//   secrets/HASH             a secret's value, sealed; named by its keyed hash
//
// What belongs to a service lies by itself: a step of a rollout writes the services that it touched, whatever their
// number. The parts that changed in one step go into one transaction: a crash finds all of them or none. One thread.
#pragma once

#include <optional>
#include <vector>

#include "control/rollout.h"
#include "store/lease.h"
#include "store/store.h"

namespace freehold::control {

// Reading alone. Takes no fence and writes nothing.
class LedgerReader {
 public:
  // As it is at one moment, beside a control that works or where none does. Before the first apply everything is empty.
  // kUnsupported: another Freehold wrote it; kUnavailable: it is written too often to be read.
  static Result<LedgerReader> look(store::Store& store);

  uint64_t current = 0;
  DesiredState desired;
  std::optional<Rollout> rollout;
  Overrides overrides;
  Allocations allocations;

  Result<Generation> generation(uint64_t number) const;
  Result<GenerationHead> head(uint64_t number) const;
  // The newest first, at most `limit`.
  Result<std::vector<GenerationHead>> heads(size_t limit) const;
  uint64_t last_generation() const { return last_generation_; }
  Result<std::string> sealed_secret(const std::string& hash) const;

 protected:
  explicit LedgerReader(store::Store& store) : store_(&store) {}
  Result<void> load();
  Result<void> load_desired();
  Result<void> load_rollout();

  store::Store* store_;
  uint64_t last_generation_ = 0;
  uint64_t stored_revision_ = 0;  // of `desired`
  uint64_t stored_rollout_ = 0;   // its id
};

// Change what LedgerReader shows and call commit().
class Ledger : public LedgerReader {
 public:
  // Takes the fence: a control that is still running with this store fails at its next write.
  static Result<Ledger> open(store::Store& store);

  // What `desired` and `rollout` remember as touched is written whatever this says.
  struct Changed {
    bool current = false;
    bool rollout = false;
    bool overrides = false;
    bool allocations = false;
    std::vector<const Generation*> generations;  // new ones
    std::vector<const GenerationHead*> heads;    // of generations that are stored already
    std::map<std::string, std::string> secrets;  // hash -> sealed value
    const store::Lease* lease = nullptr;         // must still be held
  };
  // kConflict: another control took over, or the lease was lost; this one must end. After any error everything that was
  // to be written still counts as changed.
  Result<void> commit(const Changed& changed);

  // Removes what is not needed: of the generations all but the newest `keep` that worked and `keep` / 4 that failed, so
  // that no row of failures takes away what can be gone back to; and secrets that none of them has. Gives what remains.
  Result<std::vector<GenerationHead>> prune(size_t keep);

 private:
  using LedgerReader::LedgerReader;
  void put_desired(store::Write& write) const;
  void put_rollout(store::Write& write) const;

  store::Revision epoch_;
};

}  // namespace freehold::control
