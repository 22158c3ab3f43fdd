// The Range header (RFC 9110, section 14): which bytes of a file a client wants.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace freehold::gateway {

struct ByteRange {
  uint64_t first = 0;
  uint64_t last = 0;  // included
  bool operator==(const ByteRange&) const = default;
};

enum class RangeOutcome {
  kWhole,          // no range, or one that is to be ignored: malformed, another unit, too many, more than the file
  kPartial,        // 206 with the ranges
  kUnsatisfiable,  // 416
};

struct Ranges {
  RangeOutcome outcome = RangeOutcome::kWhole;
  std::vector<ByteRange> ranges;  // in the order asked for, each within the file
};

// More ranges than this, or ranges that in all are longer than the file, cost the server more than they can be worth to
// a client: the whole file is sent.
inline constexpr size_t kMostRanges = 16;

Ranges parse_ranges(std::string_view header, uint64_t size);

}  // namespace freehold::gateway
