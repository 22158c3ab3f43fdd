#include "store/lease.h"

#include <gmock/gmock.h>

#include "store/memory_store.h"

namespace freehold::store {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class LeaseTest : public testing::Test {
 protected:
  Leases in_boot(const std::string& boot, LeaseSpan span = LeaseSpan::kOneMachine) {
    return Leases(store_, clock_, {.boot = boot, .span = span});
  }

  MemoryStore store_;
  os::FakeClock clock_;
  Leases leases_ = in_boot("boot-1");
};

TEST_F(LeaseTest, IsHeldByOneOwnerAtATime) {
  auto mine = leases_.acquire("apply", "a 1", 30s, "generation 5 by ada");
  ASSERT_TRUE(mine.ok());
  auto other = leases_.acquire("apply", "b 2", 30s, "generation 6 by bo");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(other.error().message(), HasSubstr("held by a 1 (generation 5 by ada), for 30s"));
  EXPECT_TRUE(leases_.acquire("other", "b 2", 30s, "").ok());
  ASSERT_TRUE(leases_.release(*mine).ok());
  EXPECT_EQ(leases_.read("apply").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(leases_.acquire("apply", "b 2", 30s, "").ok());
}

TEST_F(LeaseTest, CanBeAcquiredAgainByItsOwnerWhoseAnswerWasLost) {
  ASSERT_TRUE(leases_.acquire("apply", "a 1", 30s, "").ok());
  EXPECT_TRUE(leases_.acquire("apply", "a 1", 30s, "").ok());
}

TEST_F(LeaseTest, RemembersSinceWhenItIsHeld) {
  auto mine = leases_.acquire("apply", "a 1", 30s, "");
  WallTime taken = mine->taken;
  EXPECT_EQ(taken, clock_.wall());
  clock_.advance(20s);
  mine = leases_.heartbeat(*mine);
  EXPECT_EQ(leases_.read("apply")->lease.taken, taken);
  EXPECT_GT(leases_.read("apply")->lease.renewed, taken);
}

TEST_F(LeaseTest, ExpiresUnlessItsHeartGoesOn) {
  auto mine = leases_.acquire("apply", "a 1", 30s, "");
  for (int i = 0; i < 5; ++i) {
    clock_.advance(20s);
    mine = leases_.heartbeat(*mine);
    ASSERT_TRUE(mine.ok());
  }
  EXPECT_FALSE(leases_.read("apply")->expired);
  EXPECT_EQ(leases_.read("apply")->left, 30s);
  clock_.advance(30s);
  EXPECT_TRUE(leases_.read("apply")->expired);
  ASSERT_TRUE(leases_.acquire("apply", "b 2", 30s, "takes over").ok());
  auto lost = leases_.heartbeat(*mine);
  EXPECT_EQ(lost.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(lost.error().message(), HasSubstr("lost to b 2 (takes over)"));
  EXPECT_TRUE(leases_.release(*mine).ok()) << "nothing to give up";
  EXPECT_EQ(leases_.read("apply")->lease.owner, "b 2") << "and the other keeps it";
}

TEST_F(LeaseTest, GoesOnAfterItsExpiryIfNobodyTookIt) {
  auto mine = leases_.acquire("apply", "a 1", 30s, "");
  clock_.advance(1h);
  EXPECT_TRUE(leases_.heartbeat(*mine).ok());
}

TEST_F(LeaseTest, SurvivesAJumpOfTheWallClock) {
  auto mine = leases_.acquire("apply", "a 1", 30s, "");
  clock_.jump_wall(24h * 365);
  EXPECT_FALSE(leases_.read("apply")->expired);
  clock_.jump_wall(-24h * 365 * 2);
  clock_.advance(29s);
  EXPECT_FALSE(leases_.read("apply")->expired);
  clock_.advance(1s);
  EXPECT_TRUE(leases_.read("apply")->expired);
}

TEST_F(LeaseTest, EndsWithTheBootOfItsMachine) {
  ASSERT_TRUE(leases_.acquire("apply", "a 1", 30s, "").ok());
  Leases after = in_boot("boot-2");
  EXPECT_TRUE(after.read("apply")->expired);
  EXPECT_TRUE(after.acquire("apply", "a 7", 30s, "").ok());
}

TEST_F(LeaseTest, IsWatchedForItsWholeTimeWhenItsOwnerMayBeOnAnotherMachine) {
  Leases other = in_boot("boot-2", LeaseSpan::kManyMachines);
  auto mine = leases_.acquire("apply", "a 1", 30s, "");
  clock_.advance(1h);
  EXPECT_FALSE(other.read("apply")->expired) << "first seen now";
  clock_.advance(29s);
  mine = leases_.heartbeat(*mine);
  EXPECT_FALSE(other.read("apply")->expired);
  clock_.advance(29s);
  EXPECT_FALSE(other.read("apply")->expired) << "it was renewed meanwhile";
  clock_.advance(1s);
  EXPECT_TRUE(other.read("apply")->expired);
}

TEST_F(LeaseTest, FencesTheWritesOfWhoLostIt) {
  auto mine = leases_.acquire("apply", "a 1", 30s, "");
  ASSERT_TRUE(store_.commit(Write().expect(mine->key(), mine->revision).put("x", "1")).ok());
  clock_.advance(1min);
  ASSERT_TRUE(leases_.acquire("apply", "b 2", 30s, "").ok());
  EXPECT_FALSE(store_.commit(Write().expect(mine->key(), mine->revision).put("x", "2")).ok());
}

TEST_F(LeaseTest, IsTakenFromAnOwnerKnownToBeGone) {
  ASSERT_TRUE(leases_.acquire("apply", "a 1", 30s, "").ok());
  EXPECT_EQ(leases_.release("apply", "b 2").error().code(), ErrorCode::kConflict);
  EXPECT_TRUE(leases_.release("apply", "a 1").ok());
  EXPECT_TRUE(leases_.release("apply", "a 1").ok()) << "nobody has it";
}

TEST_F(LeaseTest, TellsARecordThatCannotBeRead) {
  ASSERT_TRUE(store_.commit(Write().put("leases/apply", "{")).ok());
  EXPECT_EQ(leases_.acquire("apply", "a 1", 30s, "").error().code(), ErrorCode::kCorrupt);
}

TEST_F(LeaseTest, IsForATimeWithinLimits) {
  EXPECT_EQ(leases_.acquire("apply", "a", 0s, "").error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(leases_.acquire("apply", "a", 25h, "").error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace freehold::store
