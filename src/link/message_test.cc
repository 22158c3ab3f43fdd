#include "link/message.h"

#include <gtest/gtest.h>

#include "link/control_link.h"

namespace freehold::link {
namespace {

TEST(Message, SurvivesTheWire) {
  auto message = decode(encode(kEventsTaken, EventsTaken{7}));
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->type, kEventsTaken);
  EXPECT_EQ(codec::from_json<EventsTaken>(message->body)->sequence, 7u);
}

TEST(Message, RefusesWhatIsNone) {
  for (const char* bytes : {"", "{}", "[]", "{\"type\":5}", "\xff"}) EXPECT_FALSE(decode(bytes).ok()) << bytes;
}

TEST(Agree, TakesTheNewestThatBothSpeak) {
  EXPECT_EQ(*agree({.role = "agent", .oldest = 1, .newest = 2}, 1, 1), 1u) << "they are newer";
  EXPECT_EQ(*agree({.role = "agent", .oldest = 1, .newest = 1}, 1, 2), 1u) << "we are newer";
  EXPECT_EQ(*agree({.role = "agent", .oldest = 2, .newest = 3}, 1, 2), 2u);
  EXPECT_EQ(agree({.role = "agent", .oldest = 3, .newest = 3}, 1, 2).error().code(), ErrorCode::kUnsupported);
}

TEST(Message, OfTheVersionBeforeIsUnderstoodByThisOne) {
  // As version 1 wrote it: members that came later are absent and keep their defaults.
  auto message = decode(R"({"type":"hello","version":1,"body":{"role":"agent","oldest":1,"newest":1}})");
  ASSERT_TRUE(message.ok());
  auto hello = codec::from_json<Hello>(message->body);
  ASSERT_TRUE(hello.ok());
  EXPECT_TRUE(agree(*hello).ok());
}

}  // namespace
}  // namespace freehold::link
