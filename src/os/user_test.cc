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
  UserRange open(const std::string& state) {
    return *UserRange::open(system_disk(), folder_ + "/registry", folder_ + "/" + state, state);
  }
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

TEST_F(UserRangeTest, TwoOrganisationsNeverShareAnId) {
  UidBlock a = open("coop").block();
  UidBlock b = open("school").block();
  EXPECT_TRUE(a.last < b.first || b.last < a.first);
  EXPECT_EQ(open("coop").block().first, a.first);
}

TEST_F(UserRangeTest, SaysWhenTheBlockIsUsedUp) {
  UserRange range = open("coop");
  for (uid_t i = 0; i < UserRange::kBlock; ++i) ASSERT_TRUE(range.allocate("s" + std::to_string(i)).ok());
  EXPECT_EQ(range.allocate("one-more").error().code(), ErrorCode::kExhausted);
}

TEST_F(UserRangeTest, RefusesADamagedFile) {
  ASSERT_TRUE(system_disk().write_durably(folder_ + "/coop", "what\n", 0600).ok());
  EXPECT_EQ(UserRange::open(system_disk(), folder_ + "/registry", folder_ + "/coop", "coop").error().code(),
            ErrorCode::kCorrupt);
}

TEST(FindUser, KnowsRootAndNamesAStranger) {
  EXPECT_EQ(find_user("root")->uid, 0u);
  EXPECT_NE(find_user("nobody-of-that-name").error().message().find("nobody-of-that-name"), std::string::npos);
}

}  // namespace
}  // namespace freehold::os
