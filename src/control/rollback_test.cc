#include "control/rollback.h"

#include <gmock/gmock.h>

#include "store/memory_store.h"

namespace freehold::control {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RollbackTest : public testing::Test {
 protected:
  // As an apply, or with `of` a rollback, would store it.
  void put(GenerationStatus status, std::optional<uint64_t> of = {}) {
    Generation generation;
    generation.number = ledger_.last_generation() + 1;
    generation.parent = generation.before = ledger_.current;
    if (of) generation.before = ledger_.head(*of)->before;
    generation.status = status;
    generation.who = "ada";
    generation.message = "number " + std::to_string(generation.number);
    if (status == GenerationStatus::kCurrent) ledger_.current = generation.number;
    ASSERT_TRUE(ledger_.commit({.current = true, .generations = {&generation}}).ok());
  }
  void apply() { put(GenerationStatus::kCurrent); }
  void fail() { put(GenerationStatus::kFailed); }
  void roll_back_to(uint64_t number) { put(GenerationStatus::kCurrent, number); }
  uint64_t target(std::optional<uint64_t> asked = {}) {
    auto chosen = choose_rollback(ledger_, asked, leftovers_);
    EXPECT_TRUE(chosen.ok()) << chosen.error().message();
    return chosen ? chosen->number : 0;
  }
  Error refusal(std::optional<uint64_t> asked = {}) {
    auto chosen = choose_rollback(ledger_, asked, leftovers_);
    EXPECT_FALSE(chosen.ok()) << chosen->why;
    return chosen ? Error(ErrorCode::kInternal, "") : chosen.error();
  }

  store::MemoryStore store_;
  Ledger ledger_ = *Ledger::open(store_);
  Leftovers leftovers_ = Leftovers::kNone;
};

TEST_F(RollbackTest, LeadsToWhatRanBeforeAndSaysWhoAppliedItAndWhy) {
  apply();
  apply();
  EXPECT_EQ(target(), 1u);
  EXPECT_THAT(
      choose_rollback(ledger_, {}, leftovers_)->why,
      AllOf(HasSubstr("generation 1"), HasSubstr("before generation 2"), HasSubstr("ada"), HasSubstr("number 1")));
}

TEST_F(RollbackTest, LeadsNowhereWhereNothingRanBefore) {
  EXPECT_EQ(refusal().code(), ErrorCode::kNotFound);
  apply();
  EXPECT_EQ(refusal().code(), ErrorCode::kNotFound);
}

TEST_F(RollbackTest, GoesFurtherBackTheSecondTimeInsteadOfToAndFro) {
  apply();
  apply();
  apply();
  roll_back_to(target());
  EXPECT_EQ(target(), 1u) << "not to 3, which was just left";
  roll_back_to(1);
  EXPECT_EQ(refusal().code(), ErrorCode::kNotFound);
  EXPECT_EQ(target(3), 3u) << "by its number it comes back";
}

TEST_F(RollbackTest, LeadsFromAnApplyAfterARollbackToWhatThatRollbackBroughtBack) {
  apply();
  apply();
  roll_back_to(1);  // 3
  apply();          // 4
  EXPECT_EQ(target(), 3u);
}

TEST_F(RollbackTest, RefusesAfterAFailureThatLeftNothingAndNamesTheCommandForMore) {
  apply();
  apply();
  fail();
  Error refused = refusal();
  EXPECT_EQ(refused.code(), ErrorCode::kConflict);
  EXPECT_THAT(refused.message(),
              AllOf(HasSubstr("generation 3"), HasSubstr("generation 2 runs"), HasSubstr("freehold rollback 1")));
  EXPECT_EQ(target(1), 1u);
}

TEST_F(RollbackTest, PutsRightWhatAFailureLeft) {
  apply();
  apply();
  fail();
  leftovers_ = Leftovers::kSome;
  EXPECT_EQ(target(), 2u);
  EXPECT_EQ(target(2), 2u);
  EXPECT_EQ(target(1), 1u);
}

TEST_F(RollbackTest, RefusesTheCurrentGenerationAndOneThatIsNotThere) {
  apply();
  apply();
  EXPECT_EQ(refusal(2).code(), ErrorCode::kInvalid);
  EXPECT_EQ(refusal(7).code(), ErrorCode::kNotFound);
}

TEST_F(RollbackTest, SaysWhichGenerationIsNotKeptAnyMore) {
  apply();
  apply();
  apply();
  ASSERT_TRUE(ledger_.prune(1).ok());
  Error refused = refusal();
  EXPECT_EQ(refused.code(), ErrorCode::kNotFound);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("generation 2"), HasSubstr("not kept")));
}

}  // namespace
}  // namespace freehold::control
