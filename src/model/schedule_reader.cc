// Reading a schedule: words, or the five fields of cron.
#include <fmt/core.h>

#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

#include "base/text.h"
#include "model/schedule.h"

namespace freehold::model {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};

struct Field {
  std::string_view name;
  unsigned least;
  unsigned most;
  std::span<const std::string_view> names = {};  // of the numbers from `least` on
};
constexpr Field kMinute{"minute", 0, 59};
constexpr Field kHour{"hour", 0, 23};
constexpr Field kDay{"day of the month", 1, 31};
constexpr Field kMonth{"month", 1, 12, kMonths};
constexpr Field kWeekday{"day of the week", 0, 7, kDays};  // 7 is Sunday too

Error wrong(std::string reason) { return Error(ErrorCode::kInvalid, std::move(reason)); }

std::optional<unsigned> read_number(std::string_view text) {
  unsigned value = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || stop != text.data() + text.size() || text.size() > 3) return std::nullopt;
  return value;
}

Result<unsigned> read_value(std::string_view text, const Field& field) {
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (equals_ignoring_case(text, field.names[i])) return static_cast<unsigned>(i) + field.least;
  }
  auto number = read_number(text);
  if (number && *number >= field.least && *number <= field.most) return *number;
  return wrong(
      fmt::format("'{}' is no {}: {} to {}{}", text, field.name, field.least, field.most,
                  field.names.empty() ? "" : fmt::format(", or {} to {}", field.names.front(), field.names.back())));
}

// One part of a list: *, 5, 1-5, */15, 8-18/2.
template <class Set>
Result<void> read_part(std::string_view part, const Field& field, Set& set) {
  size_t slash = part.find('/');
  std::string_view range = part.substr(0, slash);
  unsigned step = 1;
  if (slash != std::string_view::npos) {
    auto number = read_number(part.substr(slash + 1));
    if (!number || *number == 0 || *number > field.most)
      return wrong(fmt::format("'{}' is no step of the {}: 1 to {}", part.substr(slash + 1), field.name, field.most));
    step = *number;
  }
  unsigned first = field.least;
  unsigned last = field.most;
  if (range != "*") {
    size_t dash = range.find('-');
    FH_ASSIGN(first, read_value(range.substr(0, dash), field));
    if (dash != std::string_view::npos) {
      FH_ASSIGN(last, read_value(range.substr(dash + 1), field));
      if (last == 0 && field.names.data() == kDays.data()) last = 7;  // to Sunday, at the end of the week
      if (last < first) return wrong(fmt::format("'{}' goes backwards; write two ranges", range));
    } else if (slash != std::string_view::npos) {
      return wrong(
          fmt::format("'{}' has a step, but is no range: write */{} or {}-{}/{}", part, step, range, field.most, step));
    } else {
      last = first;
    }
  }
  for (unsigned value = first; value <= last; value += step) set.set(value % set.size());
  return {};
}

template <class Set>
Result<void> read_field(std::string_view text, const Field& field, Set& set) {
  for (std::string_view part : split(text, ',')) FH_TRY(read_part(part, field, set));
  return {};
}

}  // namespace

class ScheduleReader {
 public:
  Result<Schedule> read(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::string_view word : split(text, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.size() == 5) {
      FH_TRY(read_cron(words));
    } else {
      FH_TRY(read_words(words));
    }
    if (!out_.ever()) return wrong("there is no such day in any year");
    return out_;
  }

 private:
  Result<void> read_cron(const std::vector<std::string_view>& words) {
    FH_TRY(read_field(words[0], kMinute, out_.minutes_));
    FH_TRY(read_field(words[1], kHour, out_.hours_));
    FH_TRY(read_field(words[2], kDay, out_.days_));
    FH_TRY(read_field(words[3], kMonth, out_.months_));
    FH_TRY(read_field(words[4], kWeekday, out_.weekdays_));
    out_.any_day_ = words[2].starts_with('*');
    out_.any_weekday_ = words[4].starts_with('*');
    return {};
  }

  Result<void> read_words(const std::vector<std::string_view>& words) {
    out_.days_.set();
    out_.months_.set();
    if (words.size() == 1 && words[0] == "hourly") {
      out_.minutes_.set(0);
      out_.hours_.set();
      out_.weekdays_.set();
      return {};
    }
    if (words.size() != 2) return wrong("it is none of hourly, daily HH:MM, DAY HH:MM, and the five fields of cron");
    if (words[0] == "daily") {
      out_.weekdays_.set();
    } else {
      FH_TRY(read_days(words[0]));
    }
    return read_time(words[1]);
  }
  Result<void> read_days(std::string_view text) {
    // Numbers would say nothing to a person here.
    bool named = !text.empty() && text.find_first_of("0123456789*/") == std::string_view::npos;
    if (!named) return wrong(fmt::format("'{}' is neither daily nor a day such as sun, mon,thu or mon-fri", text));
    out_.any_weekday_ = false;
    return read_field(text, kWeekday, out_.weekdays_);
  }
  Result<void> read_time(std::string_view text) {
    size_t colon = text.find(':');
    auto hour = colon == std::string_view::npos ? std::nullopt : read_number(text.substr(0, colon));
    auto minute = colon == std::string_view::npos ? std::nullopt : read_number(text.substr(colon + 1));
    if (!hour || !minute || *hour > 23 || *minute > 59 || text.size() - colon != 3)
      return wrong(fmt::format("'{}' is no time of a day: 00:00 to 23:59", text));
    out_.hours_.set(*hour);
    out_.minutes_.set(*minute);
    return {};
  }

  Schedule out_;
};

Result<Schedule> Schedule::parse(std::string_view text) {
  if (text.size() > kLongest) return wrong(fmt::format("it is longer than {} bytes", kLongest));
  return ScheduleReader().read(text);
}

}  // namespace freehold::model
