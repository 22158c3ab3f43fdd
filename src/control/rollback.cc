#include "control/rollback.h"

#include <fmt/core.h>

namespace freehold::control {
namespace {

std::string describe(const GenerationHead& generation) {
  std::string out = fmt::format("applied {} by {}", format_time(generation.created), generation.who);
  if (!generation.message.empty()) out += fmt::format(", \"{}\"", generation.message);
  return out;
}

RollbackTarget back_to_current(uint64_t current, uint64_t failed) {
  return {current, fmt::format("Back to generation {}, the current one: what the failed apply of generation {} left is "
                               "put right.",
                               current, failed)};
}

Result<RollbackTarget> choose_by_number(const LedgerReader& ledger, uint64_t number, Leftovers leftovers) {
  if (number == ledger.current && leftovers == Leftovers::kSome)
    return back_to_current(number, ledger.last_generation());
  if (number == ledger.current)
    return Error(ErrorCode::kInvalid, fmt::format("generation {} is the current one; see `freehold history`", number));
  FH_ASSIGN(GenerationHead wanted, ledger.head(number));
  return RollbackTarget{number, fmt::format("Back to generation {} ({}).", number, describe(wanted))};
}

Error nothing_before(const GenerationHead& current) {
  if (current.before == 0) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("there is no generation before generation {} to go back to", current.number));
  }
  return Error(
      ErrorCode::kNotFound,
      fmt::format("generation {}, which ran before generation {}, is not kept any more; see `freehold history` "
                  "and name one: freehold rollback N",
                  current.before, current.number));
}

}  // namespace

Result<RollbackTarget> choose_rollback(const LedgerReader& ledger, std::optional<uint64_t> asked, Leftovers leftovers) {
  if (asked) return choose_by_number(ledger, *asked, leftovers);
  if (ledger.current == 0)
    return Error(ErrorCode::kNotFound, "nothing has been applied yet: there is nothing to go back to");
  FH_ASSIGN(GenerationHead current, ledger.head(ledger.current));
  auto before =
      current.before == 0 ? Result<GenerationHead>(Error(ErrorCode::kNotFound, "")) : ledger.head(current.before);
  if (!before && before.error().code() != ErrorCode::kNotFound) return before.error();
  if (ledger.last_generation() > ledger.current) {
    uint64_t failed = ledger.last_generation();
    if (leftovers == Leftovers::kSome) return back_to_current(ledger.current, failed);
    std::string further =
        before ? fmt::format(". To go back further: freehold rollback {} ({})", before->number, describe(*before)) : "";
    return Error(ErrorCode::kConflict, fmt::format("the apply of generation {} did not succeed and is taken back "
                                                   "already: generation {} runs{}",
                                                   failed, ledger.current, further));
  }
  if (!before) return nothing_before(current);
  return RollbackTarget{before->number, fmt::format("Back to generation {}, which ran before generation {} ({}).",
                                                    before->number, current.number, describe(*before))};
}

}  // namespace freehold::control
