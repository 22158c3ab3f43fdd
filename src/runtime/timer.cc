#include "runtime/timer.h"

#include <limits>

#include "runtime/engine.h"

namespace freehold::runtime {

Timer::Timer(Loop& loop, Completion expired) : loop_(loop), expired_(expired) {}

Timer::~Timer() { cancel(); }

void Timer::start(Duration after) {
  const MonotonicTime now = Engine::of(loop_).time();
  start_at(after < MonotonicTime::max() - now ? now + after : MonotonicTime::max());
}

void Timer::start_at(MonotonicTime when) {
  cancel();
  when_ = when;
  Engine& engine = Engine::of(loop_);
  engine.wheel().insert(*this, engine.time());
}

void Timer::cancel() {
  if (link_ != nullptr) Engine::of(loop_).wheel().remove(*this);
}

bool Timer::armed() const { return link_ != nullptr; }

}  // namespace freehold::runtime
