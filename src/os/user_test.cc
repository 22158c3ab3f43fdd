#include "os/user.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace freehold::os {
namespace {

class UserRangeTest : public testing::Test {
 protected:
  UserRangeTest() {
    char name[] = "/tmp/freehold-users-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~UserRangeTest() override { (void)system_disk().remove_tree(folder_).ok(); }
  std::string state(const std::string& name) { return folder_ + "/" + name; }
  Result<UserRange> try_open(const std::string& name) {
    EXPECT_TRUE(system_disk().make_directories(state(name), 0700).ok());
    return UserRange::open(system_disk(), folder_ + "/registry", state(name) + "/uids", state(name));
  }
  UserRange open(const std::string& name) { return *try_open(name); }
  std::string folder_;
};

TEST_F(UserRangeTest, GivesEachNameItsOwnIdForEver) {
  uid_t web = 0;
  {
    UserRange range = open("coop");
    web = *range.allocate("web");
    EXPECT_NE(*range.allocate("db"), web);
    EXPECT_EQ(*range.allocate("web"), web);
  }
  EXPECT_EQ(*open("coop").allocate("web"), web) << "after a restart";
}

// For control, which is another process and not root.
TEST_F(UserRangeTest, ABlockIsFoundByWhoeverMayReadTheRegistry) {
  EXPECT_FALSE(UserRange::block_of(system_disk(), folder_ + "/registry", state("coop")).ok());
  UidBlock block = open("coop").block();
  (void)open("school");
  auto found = UserRange::block_of(system_disk(), folder_ + "/registry", state("coop"));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->first, block.first);
  EXPECT_EQ(found->last, block.last);
}

TEST_F(UserRangeTest, TwoOrganisationsNeverShareAnId) {
  UserRange coop = open("coop");
  ASSERT_TRUE(coop.allocate("web").ok());
  UidBlock a = coop.block();
  UidBlock b = open("school").block();
  EXPECT_TRUE(a.last < b.first || b.last < a.first);
  EXPECT_EQ(open("coop").block().first, a.first);
}

TEST_F(UserRangeTest, AStateMadeAnewAtTheSamePathGetsNewIds) {
  uid_t before = *open("coop").allocate("web");
  ASSERT_TRUE(system_disk().remove_tree(state("coop")).ok());
  EXPECT_NE(*open("coop").allocate("database"), before) << "files of the former web may still be somewhere";
}

TEST_F(UserRangeTest, TakesABlockAgainOnlyWhenNoFreshOneIsLeft) {
  constexpr uid_t kBlocks = (UserRange::kLast - UserRange::kFirst + 1) / UserRange::kBlock;
  for (uid_t i = 0; i < kBlocks; ++i) ASSERT_TRUE(try_open("s" + std::to_string(i)).ok()) << i;
  EXPECT_EQ(try_open("one-more").error().code(), ErrorCode::kExhausted);
  ASSERT_TRUE(system_disk().remove_tree(state("s7")).ok());
  EXPECT_TRUE(try_open("one-more").ok());
}

TEST_F(UserRangeTest, ACopyOfAStateIsRefusedAndAMovedOneKeepsItsIds) {
  uid_t web = *open("coop").allocate("web");
  ASSERT_TRUE(system_disk().make_directories(state("copy"), 0700).ok());
  ASSERT_TRUE(
      system_disk()
          .write_durably(state("copy") + "/uids", *system_disk().read(state("coop") + "/uids", Bytes{1000}), 0600)
          .ok());
  EXPECT_EQ(try_open("copy").error().code(), ErrorCode::kConflict);
  ASSERT_TRUE(system_disk().remove_tree(state("coop")).ok());
  EXPECT_EQ(*open("copy").allocate("web"), web);
}

TEST_F(UserRangeTest, SaysWhenTheBlockIsUsedUp) {
  UserRange range = open("coop");
  for (uid_t i = 0; i < UserRange::kBlock; ++i) ASSERT_TRUE(range.allocate("s" + std::to_string(i)).ok());
  EXPECT_EQ(range.allocate("one-more").error().code(), ErrorCode::kExhausted);
}

TEST_F(UserRangeTest, RefusesADamagedFile) {
  ASSERT_TRUE(system_disk().make_directories(state("coop"), 0700).ok());
  ASSERT_TRUE(system_disk().write_durably(state("coop") + "/uids", "what\n", 0600).ok());
  EXPECT_EQ(try_open("coop").error().code(), ErrorCode::kCorrupt);
}

TEST(FindUser, KnowsRootAndNamesAStranger) {
  EXPECT_EQ(find_user("root")->uid, 0u);
  EXPECT_NE(find_user("nobody-of-that-name").error().message().find("nobody-of-that-name"), std::string::npos);
}

}  // namespace
}  // namespace freehold::os
