#include "model/time_zone.h"

#include "model/posix_zone.h"
#include "model/zone_fixture.h"

namespace freehold::model {
namespace {

struct Reading {
  const char* zone;
  const char* instant;
  const char* shown;
};

// Around changes, as zdump(8) lists them; the last of each zone lies beyond what its file counts one by one.
constexpr Reading kReadings[] = {
    {"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:59:59"},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00"},
    {"Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25T02:59:59"},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00"},
    {"Europe/Berlin", "1945-05-24T00:00:00Z", "1945-05-24T03:00:00"},
    {"Europe/Berlin", "2101-07-01T12:00:00Z", "2101-07-01T14:00:00"},
    {"America/New_York", "2026-03-08T06:59:59Z", "2026-03-08T01:59:59"},
    {"America/New_York", "2026-03-08T07:00:00Z", "2026-03-08T03:00:00"},
    {"America/New_York", "2026-11-01T05:59:59Z", "2026-11-01T01:59:59"},
    {"America/New_York", "2026-11-01T06:00:00Z", "2026-11-01T01:00:00"},
    {"America/New_York", "2099-12-24T12:00:00Z", "2099-12-24T07:00:00"},
    {"Australia/Lord_Howe", "2026-10-03T15:29:59Z", "2026-10-04T01:59:59"},
    {"Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2026-10-04T02:30:00"},
    {"Australia/Lord_Howe", "2026-04-04T14:59:59Z", "2026-04-05T01:59:59"},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-05T01:30:00"},
    {"Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T23:59:59"},
    {"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31T00:00:00"},
    {"Europe/Dublin", "2090-01-01T12:00:00Z", "2090-01-01T12:00:00"},  // its winter is the exception
    {"Europe/Dublin", "2090-07-01T12:00:00Z", "2090-07-01T13:00:00"},
    {"America/Sao_Paulo", "2026-12-24T12:00:00Z", "2026-12-24T09:00:00"},  // has given it up
    {"Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T05:30:00"},
};

TEST(TimeZone, SaysWhatTheClocksShow) {
  if (!has_zones()) GTEST_SKIP() << "needs the tz database (tzdata)";
  for (const Reading& reading : kReadings)
    EXPECT_EQ(text(zone(reading.zone).local(at(reading.instant))), reading.shown) << reading.zone;
}

TEST(TimeZone, ResolvesWhatIsSkippedToTheInstantAfterAndWhatIsRepeatedToTheFirst) {
  if (!has_zones()) GTEST_SKIP() << "needs the tz database (tzdata)";
  auto resolved = [](const char* name, const char* what) { return text(zone(name).resolve(shown(what))); };
  EXPECT_EQ(resolved("Europe/Berlin", "2026-03-29T02:00:00"), "2026-03-29T01:00:00Z");
  EXPECT_EQ(resolved("Europe/Berlin", "2026-03-29T02:59:59"), "2026-03-29T01:00:00Z");
  EXPECT_EQ(resolved("Europe/Berlin", "2026-03-29T03:00:01"), "2026-03-29T01:00:01Z");
  EXPECT_EQ(resolved("Europe/Berlin", "2026-10-25T02:00:00"), "2026-10-25T00:00:00Z");
  EXPECT_EQ(resolved("Europe/Berlin", "2026-10-25T02:59:59"), "2026-10-25T00:59:59Z");
  EXPECT_EQ(resolved("Europe/Berlin", "2026-10-25T03:00:00"), "2026-10-25T02:00:00Z");
  EXPECT_EQ(resolved("Australia/Lord_Howe", "2026-10-04T02:15:00"), "2026-10-03T15:30:00Z");
  EXPECT_EQ(resolved("Australia/Lord_Howe", "2026-04-05T01:45:00"), "2026-04-04T14:45:00Z");
  EXPECT_EQ(resolved("Pacific/Apia", "2011-12-30T12:00:00"), "2011-12-30T10:00:00Z");
  EXPECT_EQ(text(TimeZone::utc().resolve(shown("2026-10-04T02:15:00"))), "2026-10-04T02:15:00Z");
}

// Every instant is found again by what the clocks showed, but for the second time that they show something.
TEST(TimeZone, FindsEveryInstantAgain) {
  if (!has_zones()) GTEST_SKIP() << "needs the tz database (tzdata)";
  for (const char* name : {"Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza"}) {
    TimeZone place = zone(name);
    std::chrono::seconds repeated{};
    for (SysSeconds now = at("2010-12-01T00:00:00Z"); now < at("2012-06-01T00:00:00Z");
         now += std::chrono::minutes(10)) {
      SysSeconds found = place.resolve(place.local(now));
      if (found != now) {
        ASSERT_LT(found, now) << name;
        ASSERT_EQ(place.local(found), place.local(now)) << name << " " << text(now);
        repeated += std::chrono::minutes(10);
      }
    }
    EXPECT_LT(repeated, std::chrono::hours(6)) << name;
  }
}

TEST(TimeZone, RefusesWhatIsNoFile) {
  if (!has_zones()) GTEST_SKIP() << "needs the tz database (tzdata)";
  const std::string whole = zone_bytes("Europe/Berlin");
  ASSERT_TRUE(TimeZone::parse(whole));
  for (size_t length = 0; length < whole.size(); ++length) {
    auto cut = TimeZone::parse(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(cut) << length;
    ASSERT_TRUE(cut.error().message().find("time zone file") != std::string::npos) << cut.error().message();
  }
  auto changed = [&](size_t index, char to) {
    std::string bytes = whole;
    bytes[index] = to;
    auto parsed = TimeZone::parse(bytes);
    return parsed ? "taken" : parsed.error().message();
  };
  EXPECT_EQ(changed(0, 'X'), "this is no time zone file (RFC 8536): it does not begin with a header");
  EXPECT_EQ(changed(4, '\0'), "this is no time zone file (RFC 8536): its version is 1, which ends in 2037");
  EXPECT_EQ(changed(32, '\x7f'), "this is no time zone file (RFC 8536): it counts too many of a thing");
  EXPECT_EQ(changed(whole.size() - 1, 'x'), "this is no time zone file (RFC 8536): its footer does not end");
  EXPECT_EQ(TimeZone::parse(std::string(TimeZone::kLargest.count + 1, 'T')).error().message(),
            "this is no time zone file (RFC 8536): it is too large");
}

TEST(PosixZone, ReadsFooters) {
  struct Case {
    const char* footer;
    int year;
    const char* first;
    const char* second;
  };
  constexpr Case kCases[] = {
      {"CET-1CEST,M3.5.0,M10.5.0/3", 2026, "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
      {"EST5EDT,M3.2.0,M11.1.0", 2030, "2030-03-10T07:00:00Z", "2030-11-03T06:00:00Z"},
      {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2026, "2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"},
      {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
      {"IST-2IDT,M3.4.4/26,M10.5.0", 2026, "2026-03-27T00:00:00Z", "2026-10-24T23:00:00Z"},
      {"AAA3BBB,J60/0,J300/0", 2028, "2028-03-01T03:00:00Z", "2028-10-27T02:00:00Z"},
      {"AAA3BBB,60/0,300/0", 2027, "2027-03-02T03:00:00Z", "2027-10-28T02:00:00Z"},
  };
  for (const Case& each : kCases) {
    auto zone = PosixZone::parse(each.footer);
    ASSERT_TRUE(zone) << each.footer;
    ASSERT_TRUE(zone->changes());
    auto changes = zone->changes_in(std::chrono::year(each.year));
    EXPECT_EQ(text(changes[0].at), each.first) << each.footer;
    EXPECT_EQ(text(changes[1].at), each.second) << each.footer;
  }
  EXPECT_FALSE(PosixZone::parse("<+0545>-5:45")->changes());
  EXPECT_EQ(PosixZone::parse("<+0545>-5:45")->standard(), std::chrono::minutes(345));
}

TEST(PosixZone, RefusesWhatIsNone) {
  for (const char* footer :
       {"", "X", "XY1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0,",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-25", "CET-1:60",
        "CET--1", "<CET-1", "CET-1CEST,J0,J3", "CET-1CEST,366,3", "CET-1CEST,M3.5.0/168,M10.5.0"}) {
    EXPECT_FALSE(PosixZone::parse(footer)) << footer;
  }
  EXPECT_FALSE(PosixZone::parse(std::string(200, 'A')));
}

}  // namespace
}  // namespace freehold::model
