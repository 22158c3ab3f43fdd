// Onlooker: what a state says of itself while no control answers for it. Reads, and writes nothing.
//
// It knows what was applied and what people asked for beside it, not what really runs: its plans have no departures of
// the node's making, and say so. One thread.
#pragma once

#include "control/draft.h"
#include "control/plan.h"

namespace freehold::control {

class Onlooker {
 public:
  // The store must outlive it. Errors: those of LedgerReader::look.
  static Result<Onlooker> open(store::Store& store);

  const LedgerReader& ledger() const { return ledger_; }
  // `secrets` hashes by the state's own key, or secrets that did not change would seem to have.
  Result<Plan> plan(const model::Submission& submission, SecretBox& secrets, WallTime now) const;

 private:
  Onlooker(LedgerReader ledger, std::optional<Composed> composed)
      : ledger_(std::move(ledger)), composed_(std::move(composed)) {}

  LedgerReader ledger_;
  std::optional<Composed> composed_;  // the current generation, with the overrides in force
};

// What changed between two generations, overrides aside.
Result<Plan> compare_generations(const LedgerReader& ledger, uint64_t from, uint64_t to, AddressRange addresses,
                                 WallTime now);

}  // namespace freehold::control
