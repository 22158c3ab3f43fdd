#include "events/event_fixture.h"

namespace freehold::events {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class EventQueryTest : public EventLogTest {
 protected:
  EventQueryTest() {
    open();
    add(event("instance.started", "web.1"));   // 1
    add(event("instance.started", "web.2"));   // 2
    add(event("instance.ended", "web.1"));     // 3
    add(event("apply.done", "generation 4"));  // 4
    clock_.advance(std::chrono::hours(1));
    add(event("deploy.step", "web"));           // 5
    add(event("instance.started", "web2.1"));   // 6
    add(event("instance.started", "website"));  // 7
  }
};

TEST_F(EventQueryTest, FindsBySubjectAndAServiceWithItsInstances) {
  EXPECT_THAT(ids({.subject = "web.1"}), ElementsAre(1, 3));
  EXPECT_THAT(ids({.subject = "web"}), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(ids({.subject = "generation 4"}), ElementsAre(4));
  EXPECT_THAT(ids({.subject = "we"}), IsEmpty());
}

TEST_F(EventQueryTest, FindsByTheBeginningOfTheKind) {
  EXPECT_THAT(ids({.kind = "instance."}), ElementsAre(1, 2, 3, 6, 7));
  EXPECT_THAT(ids({.kind = "instance.ended"}), ElementsAre(3));
  EXPECT_THAT(ids({.subject = "web", .kind = "instance.started"}), ElementsAre(1, 2));
  EXPECT_THAT(ids({.kind = "nothing"}), IsEmpty());
}

TEST_F(EventQueryTest, FindsSinceATime) {
  EXPECT_THAT(ids({.since = clock_.wall()}), ElementsAre(5, 6, 7));
  EXPECT_THAT(ids({.since = clock_.wall() + std::chrono::seconds(1)}), IsEmpty());
}

TEST_F(EventQueryTest, PagesForwardFromAnId) {
  auto first = log_->query({.limit = 3});
  EXPECT_TRUE(first->more);
  EXPECT_EQ(first->events.back().id.value, 3u);
  EXPECT_THAT(ids({.after = EventId{3}, .limit = 3}), ElementsAre(4, 5, 6));
  auto last = log_->query({.after = EventId{6}, .limit = 3});
  EXPECT_FALSE(last->more);
  EXPECT_EQ(last->events.size(), 1u);
  EXPECT_EQ(last->oldest.value, 1u);
}

TEST_F(EventQueryTest, GivesTheNewestOldestFirst) {
  auto newest = log_->query({.limit = 2, .order = Order::kNewest});
  EXPECT_TRUE(newest->more);
  EXPECT_THAT(ids({.limit = 2, .order = Order::kNewest}), ElementsAre(6, 7));
  EXPECT_THAT(ids({.subject = "web", .limit = 2, .order = Order::kNewest}), ElementsAre(3, 5));
}

TEST_F(EventQueryTest, HoldsItsLimits) {
  EXPECT_EQ(log_->query({.limit = 0}).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(log_->query({.limit = EventLog::kMostEvents + 1}).error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace freehold::events
