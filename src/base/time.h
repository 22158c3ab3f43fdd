// Points in time, kept apart by type so that they cannot be mixed.
//
// WallTime is what a calendar shows: it may jump, and is only recorded and displayed. MonotonicTime never goes back
// while the machine is up: intervals, deadlines and back-off use it alone. Both come from os::Clock, the one seam for
// time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace freehold {

struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using WallTime = std::chrono::sys_time<Duration>;
using MonotonicTime = MonotonicClock::time_point;

// RFC 3339 in UTC with milliseconds: "2026-03-01T12:00:00.250Z".
std::string format_time(WallTime time);
// Accepts exactly what format_time writes, with 0 to 9 digits of fraction.
Result<WallTime> parse_time(std::string_view text);

}  // namespace freehold
