// Where a rollback leads, and why: a pure decision over the ledger.
#pragma once

#include "control/ledger.h"

namespace freehold::control {

struct RollbackTarget {
  uint64_t number = 0;
  std::string why;  // a line for a person: which generation this is, and why it was chosen
};

// What an apply that failed left behind: none, or instances and routes that the current generation does not want.
enum class Leftovers { kNone, kSome };

// Without a number:
//   - The newest apply failed and left something (on_failure: hold, or going back failed too): the current generation,
//     whose services are put back.
//   - The newest apply failed or was taken back, and left nothing: kConflict. What the caller wants to get rid of is
//     gone already; one step further would take away what works. The message has the command for that.
//   - Otherwise what ran before the contents of the current generation first came; see GenerationHead::before.
// With a number, that one; the current one only if something is left to be put right, else kInvalid.
// kNotFound: there is nothing to go back to, or it is not kept any more.
Result<RollbackTarget> choose_rollback(const LedgerReader& ledger, std::optional<uint64_t> asked, Leftovers leftovers);

}  // namespace freehold::control
