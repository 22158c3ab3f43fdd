// What is kept of events: by number, by size and by age, whichever is reached first.
#include "events/event_fixture.h"

namespace freehold::events {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

using EventKeepTest = EventLogTest;

TEST_F(EventKeepTest, ForgetsTheOldestByNumber) {
  open();
  for (int i = 0; i < 10; ++i) add(event("one"));
  ASSERT_TRUE(log_->keep({.most_events = 3}).ok());
  EXPECT_THAT(ids({}), ElementsAre(8, 9, 10)) << "at once";
  add(event("one"));
  EXPECT_THAT(ids({}), ElementsAre(9, 10, 11));
  ASSERT_TRUE(log_->keep({.most_events = 5}).ok());
  add(event("one"));
  EXPECT_THAT(ids({}), ElementsAre(9, 10, 11, 12)) << "more are kept from now on";
}

TEST_F(EventKeepTest, ForgetsTheOldestBySize) {
  open();
  for (int i = 0; i < 100; ++i) add(event("one", "web", std::string(1000, 'x')));
  ASSERT_TRUE(log_->keep({.most_bytes = Bytes{11'000}}).ok());
  EXPECT_EQ(ids({}).size(), 10u);
  EXPECT_EQ(ids({}).back(), 100u);
}

TEST_F(EventKeepTest, ForgetsWhatIsTooOldWhenTheNextComes) {
  open();
  ASSERT_TRUE(log_->keep({.most_age = 1h}).ok());
  add(event("one"));
  clock_.advance(40min);
  add(event("two"));
  EXPECT_THAT(ids({}), ElementsAre(1, 2));
  clock_.advance(30min);
  add(event("three"));
  EXPECT_THAT(ids({}), ElementsAre(2, 3));
  clock_.advance(1000h);
  ASSERT_TRUE(log_->keep({.most_age = 1h}).ok());
  EXPECT_THAT(ids({}), ElementsAre(3)) << "the newest stays, however old";
  ASSERT_TRUE(log_->keep({.most_age = Duration::max()}).ok());
  EXPECT_EQ(add(event("four")), 4u);
  EXPECT_THAT(ids({}), ElementsAre(3, 4));
}

TEST_F(EventKeepTest, IsWhicheverBoundIsReachedFirst) {
  open();
  ASSERT_TRUE(log_->keep({.most_events = 50, .most_bytes = Bytes{5'000}, .most_age = 1h}).ok());
  for (int i = 0; i < 20; ++i) add(event("one", "web", std::string(1000, 'x')));
  EXPECT_EQ(ids({}).size(), 4u) << "size";
  for (int i = 0; i < 100; ++i) add(event("one"));
  EXPECT_EQ(ids({}).size(), 50u) << "count";
  clock_.advance(2h);
  add(event("one"));
  EXPECT_THAT(ids({}), ElementsAre(121)) << "age";
}

}  // namespace
}  // namespace freehold::events
