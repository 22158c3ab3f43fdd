// Any bytes as a time zone file: what is taken must say what clocks show at any time, and find the first time again.
#include <cstdint>
#include <cstdlib>

#include "model/time_zone.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using freehold::model::SysSeconds;
  auto zone = freehold::model::TimeZone::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!zone) {
    if (zone.error().message().empty()) std::abort();
    return 0;
  }
  for (int year = 1900; year < 2300; year += 7) {
    for (unsigned month = 1; month <= 12; ++month) {
      SysSeconds now = std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / 1) +
                       std::chrono::seconds(year * month % 86'400);
      auto shown = zone->local(now);
      auto first = zone->resolve(shown);
      if (first > now || zone->local(first) != shown) std::abort();
    }
  }
  return 0;
}
