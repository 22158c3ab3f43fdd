// Any Range header for a file of any size: what is granted lies within the file, and costs no more than the file.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "gateway/byte_range.h"

using namespace freehold::gateway;

// The file's size is taken from the first eight bytes, the header from the rest.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  uint64_t file = 0;
  if (size < sizeof(file)) return 0;
  std::memcpy(&file, data, sizeof(file));
  const Ranges ranges = parse_ranges({reinterpret_cast<const char*>(data) + sizeof(file), size - sizeof(file)}, file);
  if ((ranges.outcome == RangeOutcome::kPartial) == ranges.ranges.empty()) std::abort();
  if (ranges.ranges.size() > kMostRanges) std::abort();
  uint64_t left = file;
  for (const ByteRange& range : ranges.ranges) {
    if (range.first > range.last || range.last >= file || range.last - range.first >= left) std::abort();
    left -= range.last - range.first + 1;
  }
  return 0;
}
