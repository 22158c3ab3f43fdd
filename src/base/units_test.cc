#include "base/units.h"

#include <gtest/gtest.h>

namespace freehold {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ParsesEveryUnit) {
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("15s"), 15s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("30d"), 720h);
}

TEST(Duration, RefusesWhatIsNotOne) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5sec", "1.5s", "99999999999d", "99999999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  }
}

TEST(Duration, FormatsToTheShortestExactForm) {
  EXPECT_EQ(format(Duration(90s)), "90s");
  EXPECT_EQ(format(Duration(120s)), "2m");
  EXPECT_EQ(format(Duration(1500ms)), "1500ms");
  EXPECT_EQ(format(Duration(0)), "0s");
}

TEST(Bytes, ParsesBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_bytes("256MiB")->count, 256u << 20);
  EXPECT_EQ(parse_bytes("1GB")->count, 1'000'000'000u);
  EXPECT_FALSE(parse_bytes("20000000000000TiB").ok());
  EXPECT_FALSE(parse_bytes("5M").ok());
}

TEST(Bytes, RoundTripThroughTheirText) {
  for (uint64_t count : {0ull, 1ull, 1024ull, 1500ull, 1'000'000'000ull, 3ull << 30}) {
    EXPECT_EQ(parse_bytes(format(Bytes{count}))->count, count);
  }
}

TEST(Rate, ParsesCountAndPeriod) {
  EXPECT_EQ(*parse_rate("100/10s"), (Rate{100, 10s}));
  for (const char* text : {"100", "/10s", "100/", "100/0s", "x/1s"}) EXPECT_FALSE(parse_rate(text).ok()) << text;
}

TEST(FormatShort, RoundsForPeople) {
  EXPECT_EQ(format_short(Duration(76h)), "3d 4h");
  EXPECT_EQ(format_short(Duration(2500ms)), "2.5s");
  EXPECT_EQ(format_short(Bytes{12'897'484}), "12.3 MiB");
}

}  // namespace
}  // namespace freehold
