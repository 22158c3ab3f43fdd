// The one seam for time. Everything that asks what time it is takes a Clock&; the simulator and tests pass FakeClock.
#pragma once

#include "base/time.h"

namespace freehold::os {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;            // CLOCK_REALTIME: may jump either way
  virtual MonotonicTime monotonic() const = 0;  // CLOCK_BOOTTIME: never goes back, counts suspended time
};

// The machine's clock. Lives for the whole program; thread safe.
Clock& system_clock();

// A clock that stands still until told to move. Not thread safe.
class FakeClock : public Clock {
 public:
  WallTime wall() const override { return wall_; }
  MonotonicTime monotonic() const override { return monotonic_; }
  void advance(Duration by) {
    wall_ += by;
    monotonic_ += by;
  }
  // The wall clock alone is set, as by an administrator or NTP.
  void jump_wall(Duration by) { wall_ += by; }

 private:
  WallTime wall_ = WallTime(std::chrono::hours(24 * 365 * 56));
  MonotonicTime monotonic_ = MonotonicTime(std::chrono::hours(1));
};

}  // namespace freehold::os
