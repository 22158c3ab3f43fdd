#include "model/schedule.h"

#include <array>
#include <bitset>
#include <cstdlib>
#include <random>

#include "model/zone_fixture.h"

namespace freehold::model {
namespace {

Schedule schedule(std::string_view text) {
  auto parsed = Schedule::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message());
  return parsed ? *parsed : *Schedule::parse("hourly");
}

// The next `count` due times after a moment.
std::vector<std::string> due(std::string_view schedule_text, const TimeZone& place, std::string_view after,
                             size_t count) {
  std::vector<std::string> out;
  for (SysSeconds now = at(after); out.size() < count;) {
    now = *schedule(schedule_text).next(place, now);
    out.push_back(text(now));
  }
  return out;
}
using Times = std::vector<std::string>;

TEST(Schedule, ReadsWords) {
  TimeZone utc = TimeZone::utc();
  EXPECT_EQ(due("hourly", utc, "2026-11-20T17:00:00Z", 2), (Times{"2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z"}));
  EXPECT_EQ(due("daily 02:00", utc, "2026-11-20T17:00:00Z", 2),
            (Times{"2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z"}));
  EXPECT_EQ(due("sun 03:00", utc, "2026-11-20T17:00:00Z", 2), (Times{"2026-11-22T03:00:00Z", "2026-11-29T03:00:00Z"}));
  EXPECT_EQ(due("mon,thu 06:30", utc, "2026-11-20T17:00:00Z", 2),
            (Times{"2026-11-23T06:30:00Z", "2026-11-26T06:30:00Z"}));
  EXPECT_EQ(due("Fri-Sun 23:59", utc, "2026-11-20T23:59:00Z", 3),
            (Times{"2026-11-21T23:59:00Z", "2026-11-22T23:59:00Z", "2026-11-27T23:59:00Z"}));
}

TEST(Schedule, ReadsCron) {
  TimeZone utc = TimeZone::utc();
  EXPECT_EQ(due("0 2 * * *", utc, "2026-11-20T17:00:00Z", 1), (Times{"2026-11-21T02:00:00Z"}));
  EXPECT_EQ(due("*/20 8-9 * * *", utc, "2026-11-20T09:00:30Z", 3),
            (Times{"2026-11-20T09:20:00Z", "2026-11-20T09:40:00Z", "2026-11-21T08:00:00Z"}));
  EXPECT_EQ(due("5,50 0 1 jan,JUL *", utc, "2026-11-20T17:00:00Z", 3),
            (Times{"2027-01-01T00:05:00Z", "2027-01-01T00:50:00Z", "2027-07-01T00:05:00Z"}));
  EXPECT_EQ(due("0 12 * * 7", utc, "2026-11-20T17:00:00Z", 1), (Times{"2026-11-22T12:00:00Z"}));
  EXPECT_EQ(due("0 12 * * fri-7", utc, "2026-11-20T17:00:00Z", 2),
            (Times{"2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z"}));
  EXPECT_EQ(due("  0   12 29 2  * ", utc, "2096-03-01T00:00:00Z", 1), (Times{"2104-02-29T12:00:00Z"}));
  // Both days restricted: either.
  EXPECT_EQ(due("0 0 13 * 5", utc, "2026-11-20T17:00:00Z", 4),
            (Times{"2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"}));
  EXPECT_EQ(due("0 0 29 2 */6", utc, "2026-11-20T17:00:00Z", 1), (Times{"2032-02-29T00:00:00Z"}));
}

TEST(Schedule, IsWrittenAsSystemdHasIt) {
  auto calendars = [](std::string_view text) { return schedule(text).calendars(); };
  EXPECT_EQ(calendars("hourly"), Times{"*-*-* *:00:00"});
  EXPECT_EQ(calendars("daily 02:05"), Times{"*-*-* 02:05:00"});
  EXPECT_EQ(calendars("mon-fri 18:00"), Times{"Mon,Tue,Wed,Thu,Fri *-*-* 18:00:00"});
  EXPECT_EQ(calendars("*/20 2 * jan *"), Times{"*-01-* 02:00,20,40:00"});
  EXPECT_EQ(calendars("0 2 13 * 5"), (Times{"*-*-13 02:00:00", "Fri *-*-* 02:00:00"})) << "either";
}

TEST(Schedule, SaysWhatIsWrong) {
  struct Case {
    const char* text;
    const char* message;
  };
  constexpr Case kCases[] = {
      {"", "it is none of hourly, daily HH:MM, DAY HH:MM, and the five fields of cron"},
      {"weekly", "it is none of hourly, daily HH:MM, DAY HH:MM, and the five fields of cron"},
      {"* * * *", "it is none of hourly, daily HH:MM, DAY HH:MM, and the five fields of cron"},
      {"0 0 2 * * *", "it is none of hourly, daily HH:MM, DAY HH:MM, and the five fields of cron"},
      {"daily 2", "'2' is no time of a day: 00:00 to 23:59"},
      {"daily 24:00", "'24:00' is no time of a day: 00:00 to 23:59"},
      {"daily 02:0", "'02:0' is no time of a day: 00:00 to 23:59"},
      {"daily 02:000", "'02:000' is no time of a day: 00:00 to 23:59"},
      {"someday 02:00", "'someday' is no day of the week: 0 to 7, or sun to sat"},
      {"1 02:00", "'1' is neither daily nor a day such as sun, mon,thu or mon-fri"},
      {"mon-sat/2 02:00", "'mon-sat/2' is neither daily nor a day such as sun, mon,thu or mon-fri"},
      {"60 * * * *", "'60' is no minute: 0 to 59"},
      {"* 24 * * *", "'24' is no hour: 0 to 23"},
      {"* * 0 * *", "'0' is no day of the month: 1 to 31"},
      {"* * * 13 *", "'13' is no month: 1 to 12, or jan to dec"},
      {"* * * * 8", "'8' is no day of the week: 0 to 7, or sun to sat"},
      {"*/0 * * * *", "'0' is no step of the minute: 1 to 59"},
      {"*/-1 * * * *", "'-1' is no step of the minute: 1 to 59"},
      {"*/99 * * * *", "'99' is no step of the minute: 1 to 59"},
      {"30-10 * * * *", "'30-10' goes backwards; write two ranges"},
      {"5/10 * * * *", "'5/10' has a step, but is no range: write */10 or 5-59/10"},
      {"1,,2 * * * *", "'' is no minute: 0 to 59"},
      {"1- * * * *", "'' is no minute: 0 to 59"},
      {"+1 * * * *", "'+1' is no minute: 0 to 59"},
      {"0 0 30 2 *", "there is no such day in any year"},
      {"0 0 31 4,6,9,11 *", "there is no such day in any year"},
  };
  for (const Case& each : kCases) {
    auto parsed = Schedule::parse(each.text);
    ASSERT_FALSE(parsed) << each.text;
    EXPECT_TRUE(parsed.error().message().find(each.message) != std::string::npos)
        << each.text << ": " << parsed.error().message();
  }
  EXPECT_FALSE(Schedule::parse(std::string(Schedule::kLongest + 1, '*')));
}

TEST(Schedule, AnHourThatIsSkippedRunsOnceRightAfterIt) {
  if (!has_zones()) GTEST_SKIP() << "needs the tz database (tzdata)";
  // 02:00 is followed by 03:00 on the 29th of March.
  TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(due("daily 02:30", berlin, "2026-03-28T12:00:00Z", 2),
            (Times{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
  EXPECT_EQ(due("*/20 2 * * *", berlin, "2026-03-28T12:00:00Z", 2),
            (Times{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}))
      << "once for all three";
  EXPECT_EQ(due("hourly", berlin, "2026-03-29T00:00:00Z", 2), (Times{"2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"}))
      << "and once if it is due then anyhow";
  // Half an hour, and a whole day: the 30th of December 2011 was none.
  EXPECT_EQ(due("15 2 * * *", zone("Australia/Lord_Howe"), "2026-10-03T12:00:00Z", 2),
            (Times{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}));
  EXPECT_EQ(due("daily 06:00", zone("Pacific/Apia"), "2011-12-29T20:00:00Z", 2),
            (Times{"2011-12-30T10:00:00Z", "2011-12-30T16:00:00Z"}));
}

TEST(Schedule, AnHourThatIsRepeatedRunsTheFirstTimeOnly) {
  if (!has_zones()) GTEST_SKIP() << "needs the tz database (tzdata)";
  TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(due("daily 02:30", berlin, "2026-10-24T12:00:00Z", 2),
            (Times{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
  EXPECT_EQ(due("hourly", berlin, "2026-10-24T23:00:00Z", 3),
            (Times{"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"}));
  EXPECT_EQ(due("daily 02:30", berlin, "2026-10-25T01:10:00Z", 1), (Times{"2026-10-26T01:30:00Z"}))
      << "asked in the second one";
  EXPECT_EQ(due("45 1 * * *", zone("Australia/Lord_Howe"), "2026-04-04T12:00:00Z", 2),
            (Times{"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}));
}

// What the rules say, minute by minute and without any cleverness: everything that clocks show is noted with the minute
// in which they show it first; what they never show counts for the minute after the leap.
struct Minute {
  SysSeconds instant;
  std::array<int, 5> fields;  // minute, hour, day of the month, month, day of the week
};
std::vector<Minute> minutes_of(const TimeZone& place, SysSeconds from, SysSeconds to) {
  std::vector<Minute> out;
  LocalSeconds newest = place.local(from - std::chrono::minutes(1));
  for (SysSeconds now = from; now < to; now += std::chrono::minutes(1)) {
    LocalSeconds seen = place.local(now);
    if (seen <= newest) continue;  // again
    for (LocalSeconds each = newest + std::chrono::minutes(1); each <= seen; each += std::chrono::minutes(1)) {
      auto day = std::chrono::floor<std::chrono::days>(each);
      std::chrono::year_month_day date(day);
      auto minute = static_cast<int>((each - day) / std::chrono::minutes(1));
      out.push_back({now,
                     {minute % 60, minute / 60, static_cast<int>(static_cast<unsigned>(date.day())),
                      static_cast<int>(static_cast<unsigned>(date.month())),
                      static_cast<int>(std::chrono::weekday(day).c_encoding())}});
    }
    newest = seen;
  }
  return out;
}

// Cron fields of numbers alone, as text and as the sets that they mean.
struct Drawn {
  std::string text;
  std::array<std::bitset<60>, 5> sets;
  bool either = false;  // of the two fields of days
};
Drawn draw(std::mt19937_64& random) {
  constexpr std::pair<int, int> kRanges[] = {{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}};
  auto below = [&](int most) { return static_cast<int>(random() % static_cast<uint64_t>(most)); };
  Drawn out;
  std::array<bool, 5> any{};
  for (size_t field = 0; field < 5; ++field) {
    auto [least, most] = kRanges[field];
    auto set = [&](int value) { out.sets[field].set(static_cast<size_t>(value)); };
    out.text += field == 0 ? "" : " ";
    // Hours around the changes of clocks, and seldom months alone: most draws shall be due often.
    int kind = below(4);
    if (kind == 0 || (most == 12 && kind != 1)) {
      any[field] = true;
      out.text += "*";
      for (int value = least; value <= most; ++value) set(value);
    } else if (kind == 1) {
      int step = 1 + below(std::min(most, 20));
      int first = least + below(most - least + 1);
      out.text += fmt::format("{}-{}/{}", first, most, step);
      for (int value = first; value <= most; value += step) set(value);
    } else {
      for (int i = 0; i <= below(3); ++i) {
        int value = most == 23 ? below(5) : least + below(most - least + 1);
        out.text += fmt::format("{}{}", i == 0 ? "" : ",", value);
        set(value);
      }
    }
  }
  out.either = !any[2] && !any[4];
  return out;
}
std::vector<SysSeconds> due_in(const std::vector<Minute>& minutes, const Drawn& drawn) {
  std::vector<SysSeconds> out;
  for (const Minute& minute : minutes) {
    auto in = [&](size_t field) { return drawn.sets[field][static_cast<size_t>(minute.fields[field])]; };
    if (!in(0) || !in(1) || !in(3) || !(drawn.either ? in(2) || in(4) : in(2) && in(4))) continue;
    if (out.empty() || out.back() != minute.instant) out.push_back(minute.instant);
  }
  return out;
}

TEST(Schedule, IsDueWhenASlowOracleSaysSo) {
  if (!has_zones()) GTEST_SKIP() << "needs the tz database (tzdata)";
  constexpr int kDraws = 8;
  const char* given = std::getenv("FREEHOLD_SEED");
  uint64_t seed = given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  SCOPED_TRACE(fmt::format("FREEHOLD_SEED={}", seed));
  std::mt19937_64 random(seed);
  struct Years {
    const char* zone;
    const char* from;
    const char* to;
  };
  for (const Years& years : {Years{"Europe/Berlin", "2025-12-30T00:00:00Z", "2027-04-03T00:00:00Z"},
                             Years{"America/New_York", "2027-10-01T00:00:00Z", "2028-04-03T00:00:00Z"},
                             Years{"Australia/Lord_Howe", "2026-03-01T00:00:00Z", "2026-11-03T00:00:00Z"},
                             Years{"Pacific/Apia", "2011-09-01T00:00:00Z", "2012-05-03T00:00:00Z"},
                             Years{"Africa/Casablanca", "2026-01-01T00:00:00Z", "2026-04-03T00:00:00Z"}}) {
    TimeZone place = zone(years.zone);
    std::vector<Minute> minutes = minutes_of(place, at(years.from), at(years.to));
    for (int i = 0; i < kDraws; ++i) {
      Drawn drawn = draw(random);
      auto parsed = Schedule::parse(drawn.text);
      if (!parsed) continue;  // on the 30th of February
      SysSeconds now = at(years.from) - std::chrono::seconds(1);
      for (SysSeconds expected : due_in(minutes, drawn)) {
        auto next = parsed->next(place, now);
        ASSERT_TRUE(next);
        ASSERT_EQ(*next, expected) << years.zone << ", " << drawn.text << ", after " << text(now);
        now = *next;
      }
      ASSERT_GE(*parsed->next(place, now), at(years.to)) << years.zone << ", " << drawn.text;
    }
  }
}

}  // namespace
}  // namespace freehold::model
