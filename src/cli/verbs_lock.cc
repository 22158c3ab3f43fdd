// lock: who is changing something, and ending what does not end by itself.
#include <fmt/core.h>

#include "cli/offline.h"
#include "cli/verbs.h"
#include "os/clock.h"

namespace freehold::cli {
namespace {

std::string render_lock(const control::Lock& lock, WallTime now) {
  if (!lock.held) return "nobody holds the lock: nothing is being changed\n";
  std::string out = fmt::format("held for: {}\n", lock.what);
  out += fmt::format("since:    {} ({} ago)\n", format_time(lock.since), format_short(now - lock.since));
  out += fmt::format("by:       {}, which {}\n", lock.holder, lock.lives ? "goes on with it" : "is gone");
  out += fmt::format("until:    it ends; without its holder in {}\n", format_short(lock.left));
  return out;
}

Result<control::Lock> look(const Invocation& invocation) {
  FH_ASSIGN(model::Layout layout, layout_of(invocation));
  Session session(invocation, layout);
  auto lock = decode<control::Lock>(session.get("/v1/lock"));
  if (lock || lock.error().code() != ErrorCode::kUnavailable) return lock;
  auto offline = Offline::open(os::system_disk(), layout);
  if (!offline) return offline.error().code() == ErrorCode::kNotFound ? lock.error() : offline.error();
  if (invocation.output == OutputForm::kHuman) talk(offline->explain(os::system_clock().wall()));
  return offline->lock();
}

int release(const Invocation& invocation) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  auto lock = decode<control::Lock>(
      session.post("/v1/lock/release", codec::to_json(api::ReleaseRequest{.force = invocation.force})));
  if (!lock && lock.error().code() == ErrorCode::kUnavailable) {
    return fail(invocation,
                lock.error().with_context("only a control can release it, and the next one takes over by itself"));
  }
  if (!lock) return fail(invocation, lock.error());
  if (invocation.output != OutputForm::kHuman) {
    print(codec::to_json(*lock).dump() + "\n");
  } else if (!lock->held) {
    print("nobody held the lock; nothing was done\n");
  } else {
    print(fmt::format("released; it was held for: {}\n", lock->what));
    if (lock->lives) talk("it was left as it stood; `freehold up` goes on from there, `freehold rollback` goes back\n");
  }
  return kDone;
}

}  // namespace

int run_lock(const Invocation& invocation) {
  const std::string& what = invocation.arguments[0];
  if (what == "release") return release(invocation);
  if (what != "status")
    return fail_usage(invocation, fmt::format("'{}' cannot be done to the lock; there are status and release", what),
                      "see: freehold help lock");
  if (invocation.force)
    return fail_usage(invocation, "'--force' is for `freehold lock release`", "see: freehold help lock");
  auto lock = look(invocation);
  if (!lock) return fail(invocation, lock.error());
  if (invocation.output == OutputForm::kHuman) {
    print(render_lock(*lock, os::system_clock().wall()));
  } else {
    print(codec::to_json(*lock).dump() + "\n");
  }
  return kDone;
}

}  // namespace freehold::cli
