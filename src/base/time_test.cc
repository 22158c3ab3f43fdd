#include "base/time.h"

#include <gtest/gtest.h>

namespace freehold {
namespace {

using namespace std::chrono_literals;

TEST(Time, FormatsAsRfc3339) {
  WallTime time = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h + 250ms;
  EXPECT_EQ(format_time(time), "2026-03-01T12:00:00.250Z");
  EXPECT_EQ(*parse_time("2026-03-01T12:00:00.250Z"), time);
  EXPECT_EQ(*parse_time("2026-03-01T12:00:00Z"), time - 250ms);
}

TEST(Time, RefusesWhatIsNotOne) {
  for (const char* text : {"", "2026-03-01", "2026-13-01T00:00:00Z", "2026-03-01T25:00:00Z", "2026-03-01T12:00:00",
                           "2026-03-01T12:00:00.1+01:00"}) {
    EXPECT_FALSE(parse_time(text).ok()) << text;
  }
}

}  // namespace
}  // namespace freehold
