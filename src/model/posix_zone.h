// The footer of a time zone file: a POSIX TZ string, with the extensions of RFC 8536, section 3.3.1.
//
//   CET-1CEST,M3.5.0,M10.5.0/3
//
// Internal to model. Limits: 128 bytes; offsets to 24 hours, times of a change to 167. kInvalid names what is wrong.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "base/result.h"

namespace freehold::model {

class PosixZone {
 public:
  struct Change {
    std::chrono::sys_seconds at;
    std::chrono::seconds offset;  // ahead of UTC, from then on
  };

  static Result<PosixZone> parse(std::string_view text);

  std::chrono::seconds standard() const { return standard_; }
  bool changes() const { return changes_; }
  // Both of a year, in the order of their times. Only of a zone that changes.
  std::array<Change, 2> changes_in(std::chrono::year year) const;

 private:
  enum class Kind { kMonthWeekDay, kDayWithoutLeap, kDayOfYear };
  struct Rule {
    Kind kind = Kind::kMonthWeekDay;
    int month = 1, week = 1, day = 0;
    std::chrono::seconds time = std::chrono::hours(2);
  };
  static std::chrono::sys_days date_of(const Rule& rule, std::chrono::year year);

  std::chrono::seconds standard_{};
  std::chrono::seconds summer_{};
  bool changes_ = false;
  Rule begin_;
  Rule end_;

  friend class PosixZoneReader;
};

}  // namespace freehold::model
