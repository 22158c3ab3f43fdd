#include "cli/follow.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace freehold::cli {
namespace {

using namespace std::chrono_literals;

codec::Json line(const std::string& time, const std::string& text) {
  codec::Json json;
  json.set("time", time).set("line", text);
  return json;
}

TEST(EventPlace, GoesOnBehindTheLastIdAndTakesNoneTwice) {
  EventPlace place("/v1/events?follow=1&last=50");
  place.resume_with("/v1/events?follow=1");
  EXPECT_EQ(place.target(), "/v1/events?follow=1&last=50");
  codec::Json event;
  event.set("id", 7);
  EXPECT_TRUE(place.take(event));
  EXPECT_EQ(place.target(), "/v1/events?follow=1&after=7");
  EXPECT_FALSE(place.take(event));
}

TEST(LogPlace, AsksAgainForTheLastSecondsAndLeavesOutWhatWasShown) {
  LogPlace place("/v1/logs?follow=1&last=200", "/v1/logs?follow=1", *parse_time("2026-03-01T12:00:00Z"));
  EXPECT_TRUE(place.take(line("2026-03-01T12:00:20.000Z", "old")));
  EXPECT_TRUE(place.take(line("2026-03-01T12:00:40.000Z", "same")));
  EXPECT_TRUE(place.take(line("2026-03-01T12:00:40.000Z", "same")));
  place.again();
  EXPECT_EQ(place.target(), "/v1/logs?follow=1&since=2026-03-01T12%3A00%3A30.000Z");
  EXPECT_TRUE(place.take(line("2026-03-01T12:00:39.000Z", "late, of another instance")));
  EXPECT_FALSE(place.take(line("2026-03-01T12:00:40.000Z", "same")));
  EXPECT_FALSE(place.take(line("2026-03-01T12:00:40.000Z", "same")));
  EXPECT_TRUE(place.take(line("2026-03-01T12:00:40.000Z", "same")));
}

TEST(LogPlace, TakesLinesFromLongBefore) {
  LogPlace place("/v1/logs?since=2h", "/v1/logs?", *parse_time("2026-03-01T12:00:00Z"));
  EXPECT_TRUE(place.take(line("2026-03-01T10:30:00.000Z", "long ago")));
  EXPECT_TRUE(place.take(line("2026-03-01T10:30:01.000Z", "later")));
}

}  // namespace
}  // namespace freehold::cli
