// TimeZone: when the clocks of a place show what, from a compiled file of the tz database (TZif, RFC 8536).
//
//   FH_ASSIGN(TimeZone zone, TimeZone::parse(bytes));       // of /usr/share/zoneinfo/Europe/Berlin
//   LocalSeconds shown = zone.local(now);                   // what the clocks show now
//   SysSeconds instant = zone.resolve(shown);               // when they show it, for the first time
//
// Bytes in, values out: who reads the file is asked elsewhere. What the file says of times after its last change (its
// footer) is worked out for every year up to kLastYear; after that the clocks stay. Leap seconds are not counted.
// Limits: kLargest bytes, at most kMostChanges changes, offsets of less than 26 hours. kInvalid names what is wrong.
// Plain values; threads may share one.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace freehold::model {

using SysSeconds = std::chrono::sys_seconds;
// What a clock on the wall shows, as if there were no zones.
using LocalSeconds = std::chrono::local_seconds;

class TimeZone {
 public:
  static constexpr Bytes kLargest{1 << 18};
  static constexpr size_t kMostChanges = 10'000;
  static constexpr int kLastYear = 2200;

  static Result<TimeZone> parse(std::string_view bytes);
  static TimeZone utc() { return {}; }

  LocalSeconds local(SysSeconds instant) const;
  // The first instant at which the clocks show `shown`. Where they leap over it: the instant right after the leap.
  SysSeconds resolve(LocalSeconds shown) const;

 private:
  // From `at` until the next one, local time is `offset` ahead of UTC.
  struct Span {
    SysSeconds at;
    std::chrono::seconds offset;
  };
  TimeZone() : spans_{{SysSeconds::min(), std::chrono::seconds(0)}} {}
  size_t span_at(SysSeconds instant) const;

  std::vector<Span> spans_;  // never empty; the first one begins at the beginning of time

  friend class ZoneReader;
};

}  // namespace freehold::model
