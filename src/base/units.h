// Quantities as people write them in the file, with their unit in the type.
//
// Durations: 250ms 15s 5m 2h 30d, a whole number and one unit. Sizes: 256MiB 10GiB (binary), 1GB (decimal), 512B.
// Rates: 100/10s. Values are never negative and never wrap: what does not fit is an error.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace freehold {

using Duration = std::chrono::nanoseconds;

struct Bytes {
  uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};

struct Rate {
  uint64_t count = 0;
  Duration per{};
  auto operator<=>(const Rate&) const = default;
};

Result<Duration> parse_duration(std::string_view text);
Result<Bytes> parse_bytes(std::string_view text);
Result<Rate> parse_rate(std::string_view text);

// The shortest exact form that parses back to the same value: "90s", "2h", "1500ms", "256MiB", "100/10s".
std::string format(Duration duration);
std::string format(Bytes bytes);
std::string format(Rate rate);

// Rounded for people, one or two units: "3d 4h", "12.3 MiB".
std::string format_short(Duration duration);
std::string format_short(Bytes bytes);

}  // namespace freehold
