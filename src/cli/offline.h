// Offline: what plan, history and diff say while no daemon answers, read from the state as the person who calls.
//
// It writes nothing, and is safe beside a control that is about to start. It knows what was applied, not what really
// runs: explain() says so. Blocking; one thread.
#pragma once

#include <memory>

#include "api/messages.h"
#include "cli/project.h"
#include "control/onlooker.h"
#include "model/layout.h"

namespace freehold::cli {

class Offline {
 public:
  // kNotFound: nothing was ever applied at this state directory. kDenied, kUnsupported, kCorrupt: there is a state, and
  // it cannot be read; nothing may be planned against nothing then.
  static Result<Offline> open(os::Disk& disk, const model::Layout& layout);

  // Against what was applied last; against nothing if that never happened.
  Result<api::PlanAnswer> plan(const Project& project, WallTime now) const;
  Result<api::PlanAnswer> diff(uint64_t from, uint64_t to, WallTime now) const;
  Result<std::vector<api::GenerationSummary>> history() const;
  const control::LedgerReader& ledger() const { return onlooker_.ledger(); }
  // Whoever holds it is gone.
  Result<control::Lock> lock() const;
  // For people, one or two lines: what was looked at, and what was not.
  std::string explain(WallTime now) const;

 private:
  Offline(os::Disk& disk, model::Layout layout, std::unique_ptr<store::Store> store, control::Onlooker onlooker);

  os::Disk& disk_;
  model::Layout layout_;
  std::unique_ptr<store::Store> store_;
  control::Onlooker onlooker_;
};

// Of a file that nothing was ever applied of: the whole of it against nothing.
Result<api::PlanAnswer> plan_from_nothing(const Project& project, WallTime now);

}  // namespace freehold::cli
