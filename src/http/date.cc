#include "http/date.h"

#include <algorithm>
#include <chrono>

#include "http/scan.h"

namespace freehold::http {
namespace {

using namespace std::chrono;

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr int kLastYear = 2261;  // nanoseconds in 64 bits end in the year after
constexpr std::string_view kShape = "ddd, 00 mmm 0000 00:00:00 GMT";
static_assert(kShape.size() == kDateLength);

void put(char* at, unsigned number, int digits) {
  for (int i = digits - 1; i >= 0; --i, number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

int number_at(std::string_view text, size_t at, size_t digits) {
  int number = 0;
  for (size_t i = at; i < at + digits; ++i) {
    if (!is(text[i], kDigitCharacter)) return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

}  // namespace

std::array<char, kDateLength> format_date(WallTime time) {
  constexpr sys_seconds kFirst = sys_days(year(1970) / 1 / 1);
  const sys_seconds second = std::max(floor<seconds>(time), kFirst);
  const sys_days day = floor<days>(second);
  const year_month_day date(day);
  const hh_mm_ss clock(second - day);
  std::array<char, kDateLength> out;
  std::copy(kShape.begin(), kShape.end(), out.begin());
  std::copy_n(kDays.data() + 3 * weekday(day).c_encoding(), 3, out.data());
  put(out.data() + 5, static_cast<unsigned>(date.day()), 2);
  std::copy_n(kMonths.data() + 3 * (static_cast<unsigned>(date.month()) - 1), 3, out.data() + 8);
  put(out.data() + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(out.data() + 17, static_cast<unsigned>(clock.hours().count()), 2);
  put(out.data() + 20, static_cast<unsigned>(clock.minutes().count()), 2);
  put(out.data() + 23, static_cast<unsigned>(clock.seconds().count()), 2);
  return out;
}

std::string date_text(WallTime time) {
  auto text = format_date(time);
  return {text.data(), text.size()};
}

std::optional<WallTime> parse_date(std::string_view text) {
  if (text.size() != kDateLength) return std::nullopt;
  const size_t month_at = kMonths.find(text.substr(8, 3));
  if (month_at == std::string_view::npos || month_at % 3 != 0) return std::nullopt;
  const int day_number = number_at(text, 5, 2);
  const int year_number = number_at(text, 12, 4);
  const int hour = number_at(text, 17, 2), minute = number_at(text, 20, 2), second = number_at(text, 23, 2);
  const year_month_day date(year(year_number), month(static_cast<unsigned>(month_at / 3 + 1)),
                            day(static_cast<unsigned>(day_number)));
  if (day_number < 1 || year_number < 1970 || year_number > kLastYear || !date.ok() || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  const WallTime time = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  // Writing it again checks everything else: the weekday, the commas, the colons.
  const auto again = format_date(time);
  if (text != std::string_view(again.data(), again.size())) return std::nullopt;
  return time;
}

}  // namespace freehold::http
