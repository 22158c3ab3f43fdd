// Who holds the lease of changes, and ending that.
#include <fmt/core.h>

#include "control/controller.h"
#include "control/lock.h"

namespace freehold::control {

Result<Lock> read_lock(store::Leases& leases) {
  auto state = leases.read(kChangesLease);
  if (!state) return state.error().code() == ErrorCode::kNotFound ? Result<Lock>(Lock()) : state.error();
  Lock lock;
  if (state->expired) return lock;
  lock.held = true;
  lock.what = state->lease.message;
  size_t by = lock.what.rfind(" by ");
  if (by != std::string::npos) lock.who = lock.what.substr(by + 4);
  lock.holder = state->lease.owner;
  lock.since = state->lease.taken;
  lock.renewed = state->lease.renewed;
  lock.left = state->left;
  return lock;
}

Result<Lock> Controller::lock() {
  FH_ASSIGN(Lock lock, read_lock(leases_));
  const auto& rollout = ledger_.rollout;
  // There is one control to a state: any other that held it is gone.
  lock.lives = lock.held && lock.holder == options_.owner && rollout && rollout->outcome == Outcome::kRunning;
  return lock;
}

Result<Lock> Controller::release_lock(Release release, const std::string& who) {
  FH_TRY(refuse_while_unwritten());
  FH_ASSIGN(Lock before, lock());
  if (!before.held) return before;
  if (before.lives && release == Release::kIfGone) {
    return Error(ErrorCode::kConflict,
                 fmt::format("{} is under way since {}; wait for it, or take it back with `freehold rollback`. "
                             "`freehold lock release --force` ends it where it stands",
                             before.what, format_time(before.since)));
  }
  if (before.lives) {
    Rollout& rollout = *ledger_.rollout;
    Rollout as_it_was = rollout;
    abandon(rollout, fmt::format("{} released the lock", who), now());
    auto written = commit_end();
    if (!written) {
      rollout = std::move(as_it_was);
      return written.error();
    }
    timer_.cancel();
  } else {
    FH_TRY(leases_.release(kChangesLease, before.holder));
  }
  record({"lock.released", "changes", fmt::format("{} released the lock of {}", who, before.what), who, {}});
  if (!before.lives) return before;
  finish_rollout();
  (void)announce_end();
  return before;
}

}  // namespace freehold::control
