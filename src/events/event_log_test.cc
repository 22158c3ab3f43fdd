#include "events/event_log.h"

#include "events/event_fixture.h"

namespace freehold::events {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(EventLogTest, GivesBackWhatWasAppended) {
  open();
  Event full = event("instance.ended", "web.3", "ended by signal 9");
  full.cause = "event 2";
  full.detail = codec::Json::object().set("signal", 9);
  EXPECT_EQ(add(full), 1u);
  auto page = log_->query({.limit = 10});
  ASSERT_EQ(page->events.size(), 1u);
  full.id = EventId{1};
  full.time = clock_.wall();
  EXPECT_EQ(page->events[0], full);
  EXPECT_EQ(log_->newest()->value, 1u);
}

TEST_F(EventLogTest, KeepsTheTimeThatAnEventBrings) {
  open();
  Event old = event("instance.ended");
  old.time = clock_.wall() - std::chrono::hours(1);
  add(old);
  EXPECT_EQ(log_->query({})->events[0].time, old.time);
}

TEST_F(EventLogTest, AppendsAllOfACallOrNone) {
  open();
  std::vector<Event> events = {event("one"), event("Not A Kind"), event("three")};
  EXPECT_EQ(log_->append(events).error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(ids({}), IsEmpty());
  events[1].kind = "two";
  auto given = log_->append(events);
  EXPECT_THAT(*given, ElementsAre(EventId{1}, EventId{2}, EventId{3}));
  EXPECT_THAT(*log_->append({}), IsEmpty());
}

TEST_F(EventLogTest, GoesOnCountingAfterARestart) {
  open();
  add(event("one"));
  open();
  EXPECT_EQ(add(event("two")), 2u);
  EXPECT_THAT(ids({}), ElementsAre(1, 2));
}

TEST_F(EventLogTest, RemovesTheOldestOverItsCountAndNeverUsesTheirIdsAgain) {
  open({.most_events = 3});
  for (int i = 0; i < 5; ++i) add(event("one"));
  EXPECT_THAT(ids({}), ElementsAre(3, 4, 5));
  EXPECT_EQ(log_->query({})->oldest.value, 3u);
  open({.most_events = 1});
  EXPECT_EQ(add(event("one")), 6u);
  EXPECT_THAT(ids({}), ElementsAre(6));
  std::vector<Event> many(4, event("one"));
  EXPECT_TRUE(log_->append(many).ok());
  EXPECT_THAT(ids({}), ElementsAre(10));
  open({.most_events = 1});
  EXPECT_EQ(add(event("one")), 11u);
}

TEST_F(EventLogTest, RemovesTheOldestOverItsBytes) {
  open({.most_bytes = Bytes{10'000}});
  for (int i = 0; i < 100; ++i) add(event("one", "web", std::string(1000, 'x')));
  auto kept = ids({});
  EXPECT_GE(kept.size(), 8u);
  EXPECT_LE(kept.size(), 10u);
  EXPECT_EQ(kept.back(), 100u);
}

TEST_F(EventLogTest, CutsWhatIsTooLongBetweenCharacters) {
  open();
  Event large = event("one", std::string(1000, 's'), "");
  for (int i = 0; i < 3000; ++i) large.message += "\xc3\xa4";
  large.detail = codec::Json(std::string(kMostDetailBytes, 'd'));
  add(large);
  const Event stored = log_->query({})->events[0];
  EXPECT_EQ(stored.subject.size(), kMostNameBytes);
  EXPECT_LE(stored.message.size(), kMostTextBytes);
  EXPECT_TRUE(stored.message.ends_with("\xa4...")) << "no half character";
  EXPECT_EQ(stored.detail["omitted_bytes"].as_integer(), static_cast<int64_t>(kMostDetailBytes + 2));
}

TEST_F(EventLogTest, RefusesKindsThatAreNone) {
  open();
  for (const char* kind : {"", "Instance", "a b", "a/b", "a\xff"}) {
    EXPECT_EQ(log_->append_one(event(kind)).error().code(), ErrorCode::kInvalid) << kind;
  }
  EXPECT_FALSE(log_->append_one(event(std::string(kMostKindBytes + 1, 'k'))).ok());
  std::vector<Event> many(EventLog::kMostEvents + 1, event("one"));
  EXPECT_EQ(log_->append(many).error().code(), ErrorCode::kExhausted);
}

TEST_F(EventLogTest, TellsSubscribersAfterTheCommitUntilTheyLeave) {
  open();
  std::vector<uint64_t> told;
  auto subscription = log_->subscribe([&](std::span<const Event> events) {
    EXPECT_EQ(ids({}).size(), events.back().id.value) << "already to be found";
    for (const Event& each : events) told.push_back(each.id.value);
  });
  std::vector<Event> two = {event("one"), event("two")};
  ASSERT_TRUE(log_->append(two).ok());
  add(event("three"));
  EXPECT_FALSE(log_->append_one(event("")).ok());
  subscription.reset();
  add(event("four"));
  EXPECT_THAT(told, ElementsAre(1, 2, 3));
}

TEST_F(EventLogTest, StoresOnceWhatASourceSendsAgain) {
  open();
  std::vector<SourceEvent> first = {{1, event("one")}, {2, event("two")}};
  EXPECT_EQ(*log_->append_from("agent x", first), 2u);
  std::vector<SourceEvent> again = {{1, event("one")}, {2, event("two")}, {3, event("three")}, {3, event("twice")}};
  int told = 0;
  auto subscription = log_->subscribe([&](std::span<const Event> events) { told += static_cast<int>(events.size()); });
  EXPECT_EQ(*log_->append_from("agent x", again), 3u);
  EXPECT_EQ(told, 1);
  open();
  EXPECT_EQ(*log_->append_from("agent x", first), 3u) << "known after a restart, too";
  EXPECT_EQ(*log_->append_from("agent y", first), 2u) << "another source counts for itself";
  EXPECT_EQ(ids({}).size(), 5u);
}

TEST_F(EventLogTest, DoesNotAcknowledgeWhatItRefused) {
  open();
  std::vector<SourceEvent> bad = {{1, event("one")}, {2, event("")}};
  EXPECT_FALSE(log_->append_from("agent x", bad).ok());
  bad[1].event.kind = "two";
  EXPECT_EQ(*log_->append_from("agent x", bad), 2u);
  EXPECT_EQ(ids({}).size(), 2u);
  EXPECT_EQ(log_->append_from("", bad).error().code(), ErrorCode::kInvalid);
}

TEST_F(EventLogTest, ForgetsTheSourcesThatWereSilentLongest) {
  open();
  std::vector<SourceEvent> one = {{1, event("one")}};
  for (size_t i = 0; i <= EventLog::kMostSources; ++i) {
    ASSERT_TRUE(log_->append_from("agent " + std::to_string(i), one).ok());
  }
  EventId newest = *log_->newest();
  EXPECT_TRUE(log_->append_from("agent 1", one).ok());
  EXPECT_EQ(*log_->newest(), newest) << "still known";
  EXPECT_TRUE(log_->append_from("agent 0", one).ok());
  EXPECT_GT(*log_->newest(), newest) << "forgotten";
}

}  // namespace
}  // namespace freehold::events
