// Schedule: when a job is due, as the file says it.
//
//   FH_ASSIGN(Schedule schedule, Schedule::parse("sun 03:00"));     // or "daily 02:00", "hourly", "0 2 * * *"
//   std::optional<SysSeconds> next = schedule.next(zone, now);      // the first due time after now
//
// Words: `hourly` (at its full hour), `daily HH:MM`, and days of the week before HH:MM: `sun`, `mon,thu`, `mon-fri`.
// Cron: five fields (minute, hour, day of the month, month, day of the week) with *, lists, ranges, steps and the names
// of months and days; where both days are restricted, either makes it due, as cron has it since 1979.
// It is read on the clocks of `zone`. A time that a change of the clocks skips is due right after the change, once for
// all that were skipped; one that they show twice is due the first time only. Pure; threads may share one.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/time_zone.h"

namespace freehold::model {

class Schedule {
 public:
  static constexpr size_t kLongest = 200;  // bytes of text

  // kInvalid says what is wrong with it, for a person.
  static Result<Schedule> parse(std::string_view text);

  // The same as systemd.time(7) has it, without the zone: "Sun *-*-* 03:00:00". Due if any of them is.
  std::vector<std::string> calendars() const;

  // Nothing if there is none within forty years.
  std::optional<SysSeconds> next(const TimeZone& zone, SysSeconds after) const;

 private:
  std::optional<LocalSeconds> next_shown(LocalSeconds from) const;
  bool on(std::chrono::year_month_day date) const;
  bool ever() const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;     // 1 to 31
  std::bitset<13> months_;   // 1 to 12
  std::bitset<7> weekdays_;  // 0 is Sunday
  bool any_day_ = true;      // the field was *
  bool any_weekday_ = true;

  friend class ScheduleReader;
};

}  // namespace freehold::model
