#include "gateway/byte_range.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace freehold::gateway {
namespace {

// Digits only; a number that does not fit counts as the largest.
std::optional<uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc::result_out_of_range ? UINT64_MAX : number;
}

}  // namespace

Ranges parse_ranges(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (header.size() < kUnit.size() || !equals_ignoring_case(header.substr(0, kUnit.size()), kUnit)) return {};
  Ranges result;
  uint64_t total = 0;
  size_t asked = 0;
  for (std::string_view part : split(header.substr(kUnit.size()), ',')) {
    part = trim(part);
    if (part.empty()) continue;
    if (++asked > kMostRanges) return {};
    size_t dash = part.find('-');
    if (dash == std::string_view::npos) return {};
    std::string_view from = part.substr(0, dash);
    std::string_view to = part.substr(dash + 1);
    ByteRange range;
    if (from.empty()) {
      std::optional<uint64_t> count = parse_number(to);
      if (!count) return {};
      if (*count == 0 || size == 0) continue;
      range = {size - std::min(*count, size), size - 1};
    } else {
      std::optional<uint64_t> first = parse_number(from);
      std::optional<uint64_t> last = to.empty() ? std::optional<uint64_t>(UINT64_MAX) : parse_number(to);
      if (!first || !last || *last < *first) return {};
      if (*first >= size) continue;
      range = {*first, std::min(*last, size - 1)};
    }
    total += range.last - range.first + 1;
    result.ranges.push_back(range);
  }
  if (asked == 0 || total > size) return {};
  result.outcome = result.ranges.empty() ? RangeOutcome::kUnsatisfiable : RangeOutcome::kPartial;
  return result;
}

}  // namespace freehold::gateway
