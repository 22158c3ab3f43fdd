#include "runtime/wheel.h"

#include <algorithm>
#include <bit>

namespace freehold::runtime {
namespace {
using std::chrono::milliseconds;
}

uint64_t Wheel::floor_tick(MonotonicTime time) {
  // Times before the clock's beginning are as due as the beginning (and the least one cannot even be rounded).
  if (time.time_since_epoch() <= Duration::zero()) return 0;
  return std::min<uint64_t>(static_cast<uint64_t>(time.time_since_epoch() / milliseconds(1)), kFarthest);
}

// Rounded up, so that nothing is called early.
uint64_t Wheel::ceiling_tick(MonotonicTime time) {
  const uint64_t tick = floor_tick(time);
  const bool exact = time.time_since_epoch() % milliseconds(1) <= Duration::zero();
  return exact ? tick : std::min(tick + 1, kFarthest);
}

void Wheel::push(Timer*& head, Timer& timer) {
  timer.next_ = head;
  if (head != nullptr) head->link_ = &timer.next_;
  timer.link_ = &head;
  head = &timer;
}

void Wheel::insert(Timer& timer, MonotonicTime now) {
  if (timer.when_ <= now) return push(due_, timer);
  place(timer);
}

void Wheel::place(Timer& timer) {
  const uint64_t tick = ceiling_tick(timer.when_);
  if (tick <= tick_) return push(due_, timer);
  const auto level = static_cast<unsigned>(std::bit_width(tick ^ tick_) - 1) / kBits;
  const auto slot = static_cast<unsigned>(tick >> (kBits * level)) % kSlots;
  occupied_[level] |= uint64_t{1} << slot;
  push(slots_[level * kSlots + slot], timer);
}

void Wheel::remove(Timer& timer) {
  Timer** const link = timer.link_;
  *link = timer.next_;
  if (timer.next_ != nullptr) timer.next_->link_ = link;
  timer.next_ = nullptr;
  timer.link_ = nullptr;
  // The link of the last timer in a slot is the slot itself, which tells which one became empty.
  if (*link == nullptr && link >= slots_.data() && link < slots_.data() + slots_.size()) {
    const auto slot = static_cast<unsigned>(link - slots_.data());
    occupied_[slot / kSlots] &= ~(uint64_t{1} << (slot % kSlots));
  }
}

unsigned Wheel::first_level() const {
  // All of a level lies within one slot of the level above, so the lowest occupied level comes first in time.
  unsigned level = 0;
  while (level < kLevels && occupied_[level] == 0) ++level;
  return level;
}

uint64_t Wheel::slot_begin(unsigned level) const {
  const auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
  const unsigned above = kBits * (level + 1);
  return (tick_ >> above << above) | (uint64_t{slot} << (kBits * level));
}

std::optional<MonotonicTime> Wheel::next() const {
  if (due_ != nullptr) return MonotonicTime(milliseconds(tick_));
  const unsigned level = first_level();
  if (level == kLevels) return std::nullopt;
  return MonotonicTime(milliseconds(slot_begin(level)));
}

void Wheel::advance(uint64_t tick) {
  for (unsigned level = first_level(); level < kLevels; level = first_level()) {
    const uint64_t begin = slot_begin(level);
    if (begin > tick) break;
    tick_ = begin;
    const auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    // Reversed first: pushing reverses again, and timers keep the order in which they were armed.
    Timer* reversed = nullptr;
    while (Timer* timer = slots_[level * kSlots + slot]) {
      remove(*timer);
      push(reversed, *timer);
    }
    while (Timer* timer = reversed) {
      remove(*timer);
      place(*timer);
    }
  }
  tick_ = std::max(tick_, tick);
}

void Wheel::expire(MonotonicTime now) {
  advance(floor_tick(now));
  while (Timer* timer = due_) {
    remove(*timer);
    push(calling_, *timer);
  }
  while (Timer* timer = calling_) {
    remove(*timer);
    const Completion expired = timer->expired_;
    expired(0);  // may destroy the timer
  }
}

}  // namespace freehold::runtime
