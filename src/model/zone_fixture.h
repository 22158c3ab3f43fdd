// For tests: zones of this machine's tz database, and times as people write them.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/time.h"
#include "model/time_zone.h"

namespace freehold::model {

inline std::string zone_bytes(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
inline bool has_zones() { return std::ifstream("/usr/share/zoneinfo/Europe/Berlin").good(); }

inline TimeZone zone(const std::string& name) {
  auto zone = TimeZone::parse(zone_bytes(name));
  EXPECT_TRUE(zone) << name << ": " << (zone ? "" : zone.error().message());
  return zone ? *std::move(zone) : TimeZone::utc();
}

// "2026-03-29T00:59:00Z"
inline SysSeconds at(std::string_view text) { return std::chrono::floor<std::chrono::seconds>(*parse_time(text)); }
inline std::string text(SysSeconds time) { return format_time(time).substr(0, 19) + "Z"; }
// What clocks show, written the same way, without the Z.
inline std::string text(LocalSeconds shown) { return text(SysSeconds(shown.time_since_epoch())).substr(0, 19); }
inline LocalSeconds shown(std::string_view text) {
  return LocalSeconds(at(std::string(text) + "Z").time_since_epoch());
}

}  // namespace freehold::model
