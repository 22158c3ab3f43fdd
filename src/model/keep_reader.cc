#include <fmt/core.h>

#include "model/sections.h"

namespace freehold::model {
namespace {

struct Range {
  Bytes least_size;
  Bytes most_size;
  uint64_t least_count;
  uint64_t most_count;
};

Keep read_keep(Reading& reading, const Section& section, const Range& range) {
  Keep keep;
  auto value = section.find("keep");
  if (!value) return keep;
  Section bounds(reading, *value, section.name_of("keep"), kKeepKeys);
  if (!bounds.valid()) return keep;
  if (auto age = bounds.find("for")) {
    keep.age = read_duration(reading, *age, bounds.name_of("for"), Zero::kRefused);
    if (keep.age && *keep.age < kLeastAge) {
      refuse(reading, *age, bounds.name_of("for"), fmt::format("at least {}, such as 30d", format(kLeastAge)));
    }
  }
  if (auto size = bounds.find("size")) {
    keep.size = read_bytes(reading, *size, bounds.name_of("size"), range.least_size);
    if (keep.size && keep.size->count > range.most_size.count) {
      refuse(reading, *size, bounds.name_of("size"), fmt::format("at most {}", format(range.most_size)));
    }
  }
  if (auto count = bounds.find("count")) {
    keep.count = read_count(reading, *count, bounds.name_of("count"), range.least_count, range.most_count);
  }
  if (!bounds.has("for") && !bounds.has("size") && !bounds.has("count")) {
    refuse(reading, *value, bounds.what(), "at least one of for, size and count");
  }
  return keep;
}

}  // namespace

void read_logs(Reading& reading, const Value& value) {
  Section section(reading, value, "logs", kLogsKeys);
  if (!section.valid()) return;
  reading.organisation.keep.logs =
      read_keep(reading, section, {kLeastLogSize, kMostLogSize, kLeastLogCount, UINT32_MAX});
}

void read_events(Reading& reading, const Value& value) {
  Section section(reading, value, "events", kEventsKeys);
  if (!section.valid()) return;
  reading.organisation.keep.events =
      read_keep(reading, section, {kLeastEventSize, kMostEventSize, kLeastEventCount, kMostEventCount});
}

}  // namespace freehold::model
