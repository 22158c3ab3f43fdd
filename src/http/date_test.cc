#include "http/date.h"

#include <gtest/gtest.h>

#include <random>

#include "http/status.h"

namespace freehold::http {
namespace {

using namespace std::chrono;

TEST(Date, IsWrittenAsTheRfcShowsIt) {
  WallTime time = sys_days(year(1994) / 11 / 6) + 8h + 49min + 37s + 999ms;
  EXPECT_EQ(date_text(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date_text(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_text(WallTime(seconds(-1))), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Date, IsReadBackAsItWasWritten) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 1000; ++i) {
    WallTime time{seconds(random() % 7'000'000'000)};
    EXPECT_EQ(parse_date(date_text(time)), time) << date_text(time);
  }
}

TEST(Date, OfAnotherShapeIsNone) {
  for (std::string_view text :
       {"", "Sun, 06 Nov 1994 08:49:37", "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun, 0x Nov 1994 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
}

TEST(ReasonPhrase, IsThereForWhatWeSend) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(299), "");
}

}  // namespace
}  // namespace freehold::http
