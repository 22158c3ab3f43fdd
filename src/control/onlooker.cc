#include "control/onlooker.h"

namespace freehold::control {

Result<Onlooker> Onlooker::open(store::Store& store) {
  FH_ASSIGN(LedgerReader ledger, LedgerReader::look(store));
  std::optional<Composed> composed;
  if (ledger.current != 0) {
    FH_ASSIGN(Generation generation, ledger.generation(ledger.current));
    FH_ASSIGN(composed, compose(generation, ledger.allocations, ledger.overrides));
  }
  return Onlooker(std::move(ledger), std::move(composed));
}

Result<Plan> Onlooker::plan(const model::Submission& submission, SecretBox& secrets, WallTime now) const {
  const Composed* current = composed_ ? &*composed_ : nullptr;
  FH_ASSIGN(Draft draft, draft_submission({ledger_, current, {}, now}, submission, secrets, nullptr));
  return make_plan(draft.composed, current, nullptr, ledger_.overrides, now);
}

Result<Plan> compare_generations(const LedgerReader& ledger, uint64_t from, uint64_t to, AddressRange addresses,
                                 WallTime now) {
  FH_ASSIGN(Generation old_generation, ledger.generation(from));
  FH_ASSIGN(Generation new_generation, ledger.generation(to));
  Allocations allocations = ledger.allocations;
  FH_TRY(allocate(old_generation.organisation, addresses, allocations));
  FH_TRY(allocate(new_generation.organisation, addresses, allocations));
  FH_ASSIGN(Composed before, compose(old_generation, allocations, {}));
  FH_ASSIGN(Composed after, compose(new_generation, allocations, {}, &before));
  return make_plan(after, &before, nullptr, {}, now);
}

}  // namespace freehold::control
