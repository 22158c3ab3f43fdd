#include "runtime/watchdog.h"

namespace freehold::runtime {
namespace {

// Of the time that it may be silent: one lost message is no death.
constexpr int kPart = 3;

}  // namespace

Watchdog::Watchdog(Loop& loop, const os::ServiceManager& manager)
    : loop_(loop), manager_(manager), timer_(loop, complete<&Watchdog::on_timer>(this)) {
  if (manager.watchdog()) timer_.start(Duration::zero());
}

void Watchdog::on_timer(int) {
  timer_.start(*manager_.watchdog() / kPart);
  if (silent_ > 0) return;
  manager_.say("WATCHDOG=1");
  silent_ = others_.size();
  for (Loop* other : others_) {
    other->post([this] { loop_.post([this] { --silent_; }); });
  }
}

}  // namespace freehold::runtime
