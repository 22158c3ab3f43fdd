// Wheel: the armed timers of one loop, in slots of a hierarchy.
//
// Level 0 has a slot per millisecond for the current block of 64, level 1 a slot per 64 ms, and so on; a timer stands
// at the highest level at which its time differs from now, and moves down when now enters its slot. Insertion and
// removal are O(1). Occupied slots are marked in one word per level, so finding the next one takes a few instructions
// and an empty stretch of time, however long, is skipped at once: there is no tick. A far timer costs a wake-up at each
// level that it passes through, at most six in all.
//
// Order: by millisecond; within one, usually but not always that of arming. Threads: the loop's own. Internal to
// runtime.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "runtime/timer.h"

namespace freehold::runtime {

class Wheel {
 public:
  explicit Wheel(MonotonicTime now) : tick_(floor_tick(now)) {}
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;

  // `now`: what is not later than this is due in the next turn, however little of a millisecond has passed.
  void insert(Timer& timer, MonotonicTime now);
  void remove(Timer& timer);
  // When expire() has something to do next; none if no timer is armed.
  std::optional<MonotonicTime> next() const;
  // Calls what is due at `now`. Timers armed by the callbacks run in the next turn at the earliest.
  void expire(MonotonicTime now);

 private:
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr unsigned kLevels = 7;  // 2^42 ms are 139 years
  static constexpr uint64_t kFarthest = (uint64_t{1} << (kBits * kLevels)) - 1;

  static uint64_t floor_tick(MonotonicTime time);
  static uint64_t ceiling_tick(MonotonicTime time);
  static void push(Timer*& head, Timer& timer);
  void place(Timer& timer);
  // The first occupied slot in time: its level, or kLevels if there is none.
  unsigned first_level() const;
  uint64_t slot_begin(unsigned level) const;
  void advance(uint64_t tick);

  uint64_t tick_;                             // milliseconds up to and including this one were handled
  Timer* due_ = nullptr;                      // to be called, in reverse order
  Timer* calling_ = nullptr;                  // being called, in order
  std::array<uint64_t, kLevels> occupied_{};  // a bit per slot
  std::array<Timer*, kLevels * kSlots> slots_{};
};

}  // namespace freehold::runtime
