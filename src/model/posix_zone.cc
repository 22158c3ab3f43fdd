#include "model/posix_zone.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace freehold::model {

using std::chrono::seconds;

class PosixZoneReader {
 public:
  explicit PosixZoneReader(std::string_view text) : text_(text), rest_(text) {}

  Result<PosixZone> read() {
    constexpr size_t kLongest = 128;
    constexpr int kMostHours = 24;
    if (text_.size() > kLongest) return wrong("it is too long");
    PosixZone zone;
    if (!take_name()) return wrong("it does not begin with a name");
    auto standard = take_time(kMostHours);
    if (!standard) return wrong("the name has no offset");
    zone.standard_ = -*standard;  // POSIX counts westward
    if (rest_.empty()) return zone;
    if (!take_name()) return wrong("its second name is wrong");
    zone.changes_ = true;
    zone.summer_ = zone.standard_ + std::chrono::hours(1);
    if (!rest_.starts_with(',')) {
      auto summer = take_time(kMostHours);
      if (!summer) return wrong("its second offset is wrong");
      zone.summer_ = -*summer;
    }
    if (!take_rule(zone.begin_) || !take_rule(zone.end_) || !rest_.empty()) return wrong("its rules are wrong");
    return zone;
  }

 private:
  Error wrong(std::string_view what) const {
    return Error(ErrorCode::kInvalid,
                 fmt::format("the footer '{}' of the time zone file cannot be read: {}", text_.substr(0, 64), what));
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_name() {
    bool quoted = take('<');
    size_t length = 0;
    for (; length < rest_.size(); ++length) {
      char c = rest_[length];
      bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      bool more = quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-');
      if (!letter && !more) break;
    }
    rest_.remove_prefix(length);
    return length >= 3 && (!quoted || take('>'));
  }
  std::optional<int> take_number(int least, int most) {
    int value = 0;
    auto [stop, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (failure != std::errc() || rest_.front() == '-' || value < least || value > most) return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
    return value;
  }
  // [+-]hh[:mm[:ss]]
  std::optional<seconds> take_time(int most_hours) {
    bool negative = take('-');
    if (!negative) take('+');
    auto hours = take_number(0, most_hours);
    if (!hours) return std::nullopt;
    seconds time = std::chrono::hours(*hours);
    for (seconds unit : {seconds(60), seconds(1)}) {
      if (!take(':')) break;
      auto number = take_number(0, 59);
      if (!number) return std::nullopt;
      time += *number * unit;
    }
    return negative ? -time : time;
  }
  bool take_rule(PosixZone::Rule& rule) {
    constexpr int kMostHours = 167;
    auto put = [](int& field, std::optional<int> value) {
      if (value) field = *value;
      return value.has_value();
    };
    if (!take(',')) return false;
    bool well = true;
    if (take('M')) {
      rule.kind = PosixZone::Kind::kMonthWeekDay;
      well = put(rule.month, take_number(1, 12)) && take('.') && put(rule.week, take_number(1, 5)) && take('.') &&
             put(rule.day, take_number(0, 6));
    } else if (take('J')) {
      rule.kind = PosixZone::Kind::kDayWithoutLeap;
      well = put(rule.day, take_number(1, 365));
    } else {
      rule.kind = PosixZone::Kind::kDayOfYear;
      well = put(rule.day, take_number(0, 365));
    }
    if (!well) return false;
    if (!take('/')) return true;
    auto time = take_time(kMostHours);
    if (time) rule.time = *time;
    return time.has_value();
  }

  std::string_view text_;
  std::string_view rest_;
};

Result<PosixZone> PosixZone::parse(std::string_view text) { return PosixZoneReader(text).read(); }

std::chrono::sys_days PosixZone::date_of(const Rule& rule, std::chrono::year year) {
  using std::chrono::days;
  std::chrono::sys_days first = year / 1 / 1;
  switch (rule.kind) {
    case Kind::kMonthWeekDay: {
      std::chrono::weekday day(static_cast<unsigned>(rule.day));
      auto month = year / rule.month;
      // The fifth is the last, whether there are five or four.
      if (rule.week == 5) return month / day[std::chrono::last];
      return month / day[static_cast<unsigned>(rule.week)];
    }
    case Kind::kDayWithoutLeap: {
      constexpr int kLastOfFebruary = 59;
      return first + days(rule.day - 1 + (year.is_leap() && rule.day > kLastOfFebruary ? 1 : 0));
    }
    case Kind::kDayOfYear:
      return first + days(rule.day);
  }
  return first;
}

std::array<PosixZone::Change, 2> PosixZone::changes_in(std::chrono::year year) const {
  // Each is told by the clocks as they go until then.
  std::array<Change, 2> out = {Change{date_of(begin_, year) + begin_.time - standard_, summer_},
                               Change{date_of(end_, year) + end_.time - summer_, standard_}};
  if (out[1].at < out[0].at) std::swap(out[0], out[1]);
  return out;
}

}  // namespace freehold::model
