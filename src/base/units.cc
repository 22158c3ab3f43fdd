#include "base/units.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <limits>

namespace freehold {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr std::array kDurationUnits = {
    Unit{"d", 86'400'000'000'000},
    Unit{"h", 3'600'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},
    Unit{"us", 1'000},
    Unit{"ns", 1},
};
constexpr std::array kByteUnits = {
    Unit{"TiB", 1ull << 40},
    Unit{"GiB", 1ull << 30},
    Unit{"MiB", 1ull << 20},
    Unit{"KiB", 1ull << 10},
    Unit{"TB", 1'000'000'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"MB", 1'000'000},
    Unit{"kB", 1'000},
    Unit{"B", 1},
};

// The number and the unit's name, or an error that says which forms are accepted.
template <size_t N>
Result<uint64_t> parse_scaled(std::string_view text, const std::array<Unit, N>& units, uint64_t most,
                              std::string_view expected) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure == std::errc::result_out_of_range)
    return Error(ErrorCode::kInvalid, fmt::format("'{}' is too large", text));
  if (failure != std::errc()) return Error(ErrorCode::kInvalid, fmt::format("'{}' is not {}", text, expected));
  std::string_view name(stop, static_cast<size_t>(end - stop));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > most / unit.factor) return Error(ErrorCode::kInvalid, fmt::format("'{}' is too large", text));
    return number * unit.factor;
  }
  return Error(ErrorCode::kInvalid, fmt::format("'{}' is not {}", text, expected));
}

template <size_t N>
std::string format_exact(uint64_t value, const std::array<Unit, N>& units, std::string_view zero) {
  if (value == 0) return std::string(zero);
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  return std::string(zero);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  FH_ASSIGN(uint64_t nanoseconds, parse_scaled(text, kDurationUnits, std::numeric_limits<int64_t>::max(),
                                               "a duration such as 250ms, 15s, 5m, 2h or 30d"));
  return Duration(static_cast<int64_t>(nanoseconds));
}

Result<Bytes> parse_bytes(std::string_view text) {
  FH_ASSIGN(uint64_t count, parse_scaled(text, kByteUnits, std::numeric_limits<uint64_t>::max(),
                                         "a size such as 512B, 256MiB, 10GiB or 1GB"));
  return Bytes{count};
}

Result<Rate> parse_rate(std::string_view text) {
  size_t slash = text.find('/');
  Error wrong(ErrorCode::kInvalid, fmt::format("'{}' is not a rate such as 100/10s or 5/1m", text));
  if (slash == std::string_view::npos) return wrong;
  uint64_t count = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + slash, count);
  if (failure != std::errc() || stop != text.data() + slash) return wrong;
  auto per = parse_duration(text.substr(slash + 1));
  if (!per || *per <= Duration::zero()) return wrong;
  return Rate{count, *per};
}

std::string format(Duration duration) {
  return format_exact(static_cast<uint64_t>(duration.count()), kDurationUnits, "0s");
}
std::string format(Bytes bytes) {
  // Binary units first: 1000000000000B reads better than 976562500KiB, so decimal wins when it divides by more.
  return format_exact(bytes.count, kByteUnits, "0B");
}
std::string format(Rate rate) { return fmt::format("{}/{}", rate.count, format(rate.per)); }

std::string format_short(Duration duration) {
  auto value = static_cast<uint64_t>(duration.count() < 0 ? 0 : duration.count());
  for (size_t i = 0; i < kDurationUnits.size(); ++i) {
    const Unit& unit = kDurationUnits[i];
    if (value < unit.factor) continue;
    if (unit.factor > 1'000'000'000) {
      const Unit& next = kDurationUnits[i + 1];
      uint64_t rest = value % unit.factor / next.factor;
      if (rest != 0) return fmt::format("{}{} {}{}", value / unit.factor, unit.name, rest, next.name);
    }
    if (unit.factor == 1'000'000'000 && value < 10 * unit.factor) {
      return fmt::format("{:.1f}s", static_cast<double>(value) / 1e9);
    }
    return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  return "0s";
}

std::string format_short(Bytes bytes) {
  constexpr std::array kBinary = {Unit{"TiB", 1ull << 40}, Unit{"GiB", 1ull << 30}, Unit{"MiB", 1ull << 20},
                                  Unit{"KiB", 1ull << 10}};
  for (const Unit& unit : kBinary) {
    if (bytes.count >= unit.factor) {
      return fmt::format("{:.1f} {}", static_cast<double>(bytes.count) / static_cast<double>(unit.factor), unit.name);
    }
  }
  return fmt::format("{} B", bytes.count);
}

}  // namespace freehold
