#include "model/schedule.h"

#include <fmt/core.h>

#include <algorithm>

namespace freehold::model {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::year_month_day;

bool Schedule::on(year_month_day date) const {
  if (!months_[static_cast<unsigned>(date.month())]) return false;
  bool day = days_[static_cast<unsigned>(date.day())];
  bool weekday = weekdays_[std::chrono::weekday(std::chrono::local_days(date)).c_encoding()];
  // As cron has it: a field that begins with * restricts, if at all, what the other one lets pass.
  return any_day_ || any_weekday_ ? day && weekday : day || weekday;
}

// Whether there is a day at all: not for "0 0 31 2 *".
bool Schedule::ever() const {
  if (!any_day_ && !any_weekday_) return true;
  constexpr unsigned kLongestMonths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) {
    for (unsigned day = 1; day <= kLongestMonths[month]; ++day) {
      if (months_[month] && days_[day]) return true;
    }
  }
  return false;
}

// The first minute from `from` on at which it is due by the clocks alone.
std::optional<LocalSeconds> Schedule::next_shown(LocalSeconds from) const {
  auto minute = std::chrono::ceil<minutes>(from);
  auto day = std::chrono::floor<days>(minute);
  // A 29th of February that is a Sunday may be forty years away.
  constexpr days kFarthest(366 * 41);
  for (auto last = day + kFarthest; day <= last; day += days(1)) {
    if (!on(year_month_day(day))) continue;
    auto since_midnight = std::max(minute - std::chrono::local_time<minutes>(day), minutes(0));
    for (auto at = since_midnight; at < days(1);) {
      auto hour = static_cast<size_t>(at / hours(1));
      auto of_hour = static_cast<size_t>(at % hours(1) / minutes(1));
      if (!hours_[hour]) {
        at = hours(hour + 1);
      } else if (!minutes_[of_hour]) {
        at += minutes(1);
      } else {
        return LocalSeconds(std::chrono::local_time<minutes>(day) + at);
      }
    }
  }
  return std::nullopt;
}

std::optional<SysSeconds> Schedule::next(const TimeZone& zone, SysSeconds after) const {
  // Clocks that go on are in order: nothing that they show before this moment is due after it. What they show a second
  // time was due before, and is passed over.
  for (LocalSeconds from = zone.local(after);;) {
    std::optional<LocalSeconds> shown = next_shown(from);
    if (!shown) return std::nullopt;
    SysSeconds due = zone.resolve(*shown);
    if (due > after) return due;
    from = *shown + minutes(1);
  }
}

namespace {

// "00,20,40", or * for all from `first` on.
template <class Set>
std::string list_of(const Set& set, size_t first) {
  std::string out;
  bool all = true;
  for (size_t value = first; value < set.size(); ++value) {
    all = all && set[value];
    if (set[value]) out += fmt::format("{}{:02}", out.empty() ? "" : ",", value);
  }
  return all ? "*" : out;
}

}  // namespace

std::vector<std::string> Schedule::calendars() const {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  std::string names;
  for (size_t day = 0; day < weekdays_.size(); ++day) {
    if (weekdays_[day]) names += fmt::format("{}{}", names.empty() ? "" : ",", kDays[day]);
  }
  names = weekdays_.all() ? "" : names + " ";
  std::string time = fmt::format("{}:{}:00", list_of(hours_, 0), list_of(minutes_, 0));
  std::string months = list_of(months_, 1);
  std::string dates = fmt::format("*-{}-{} {}", months, list_of(days_, 1), time);
  if (any_day_ || any_weekday_) return {names + dates};
  return {dates, fmt::format("{}*-{}-* {}", names, months, time)};
}

}  // namespace freehold::model
