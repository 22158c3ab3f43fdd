#include "agent/user_range.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "os/file_lock.h"
#include "os/user.h"

namespace freehold::agent {
namespace {

class UserRangeTest : public testing::Test {
 protected:
  UserRangeTest() {
    char name[] = "/tmp/freehold-users-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~UserRangeTest() override { (void)disk_.remove_tree(folder_).ok(); }
  UserRange::Options options(const std::string& state) {
    (void)disk_.make_directories(folder_ + "/" + state, 0700).ok();
    UserRange::Options options;
    options.file = folder_ + "/" + state + "/users.json";
    options.registry = folder_ + "/machine/uids.json";
    options.block = 4;
    options.last = options.first + 11;  // three blocks
    return options;
  }
  Result<UserRange> open(const std::string& state) { return UserRange::open(disk_, options(state)); }

  os::Disk& disk_ = os::system_disk();
  std::string folder_;
};

TEST_F(UserRangeTest, KeepsAServicesUserForEver) {
  uint32_t web = 0, chat = 0;
  {
    auto users = open("a");
    ASSERT_TRUE(users.ok()) << users.error().message();
    web = *users->allot("web");
    chat = *users->allot("chat");
    EXPECT_EQ(web, 1900000000u);
    EXPECT_NE(web, chat);
    EXPECT_EQ(*users->allot("web"), web);
  }
  auto again = open("a");
  EXPECT_EQ(*again->allot("chat"), chat);
  EXPECT_EQ(*again->allot("web"), web);
  EXPECT_EQ(again->users().size(), 2u);
}

TEST_F(UserRangeTest, TwoStatesNeverShare) {
  auto a = open("a");
  auto b = open("b");
  std::set<uint32_t> all;
  for (const char* name : {"one", "two", "three", "four", "five"}) all.insert(*a->allot(name));
  for (const char* name : {"one", "two", "three", "four"}) all.insert(*b->allot(name));
  EXPECT_EQ(all.size(), 9u);
  auto more = b->allot("five");
  EXPECT_EQ(more.error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(*b->allot("one"), *open("b")->allot("one"));
}

TEST_F(UserRangeTest, TakesABlockOfARemovedStateOnlyWhenNoneIsFresh) {
  uint32_t gone = *open("gone")->allot("web");
  ASSERT_TRUE(disk_.remove_tree(folder_ + "/gone").ok());
  auto b = open("b");
  EXPECT_NE(*b->allot("1"), gone);
  for (const char* name : {"2", "3", "4", "5", "6", "7", "8"}) EXPECT_NE(*b->allot(name), gone);
  EXPECT_EQ(*b->allot("9"), gone);
}

TEST_F(UserRangeTest, RefusesACopiedStateAndFollowsAMovedOne) {
  uint32_t web = *open("a")->allot("web");
  std::string text = *disk_.read(folder_ + "/a/users.json", Bytes{4096});
  options("b");
  ASSERT_TRUE(disk_.write_durably(folder_ + "/b/users.json", text, 0600).ok());
  EXPECT_EQ(open("b").error().code(), ErrorCode::kConflict);
  ASSERT_TRUE(disk_.remove_tree(folder_ + "/a").ok());
  EXPECT_EQ(*open("b")->allot("web"), web);
}

TEST_F(UserRangeTest, SurvivesALostRegistry) {
  uint32_t web = *open("a")->allot("web");
  ASSERT_TRUE(disk_.remove_tree(folder_ + "/machine").ok());
  EXPECT_EQ(*open("a")->allot("web"), web);
  EXPECT_NE(*open("b")->allot("web"), web);
}

TEST_F(UserRangeTest, FindsABlockAgainThatACrashKeptFromItsOwnFile) {
  {
    auto a = open("a");
  }
  std::string before = *disk_.read(folder_ + "/a/users.json", Bytes{4096});
  uint32_t web = *open("a")->allot("web");
  ASSERT_TRUE(disk_.write_durably(folder_ + "/a/users.json", before, 0600).ok());
  EXPECT_EQ(*open("a")->allot("web"), web);
}

TEST_F(UserRangeTest, NeverStartsAfreshOverAFileThatItCannotRead) {
  auto given = options("a");
  ASSERT_TRUE(disk_.write_durably(given.file, "{\"ver", 0600).ok());
  EXPECT_EQ(open("a").error().code(), ErrorCode::kCorrupt);
  ASSERT_TRUE(disk_.write_durably(given.file, "{\"version\":2}", 0600).ok());
  EXPECT_EQ(open("a").error().code(), ErrorCode::kUnsupported);
}

TEST_F(UserRangeTest, WaitsForTheLockOnlySoLong) {
  auto given = options("a");
  ASSERT_TRUE(disk_.make_directories(folder_ + "/machine", 0700).ok());
  auto lock = os::FileLock::acquire(given.registry + ".lock", Duration(0));
  ASSERT_TRUE(lock.ok());
  given.lock_time = std::chrono::milliseconds(20);
  EXPECT_EQ(UserRange::open(disk_, given).error().code(), ErrorCode::kUnavailable);
}

TEST(FindUser, KnowsTheSystemsUsers) {
  EXPECT_EQ(os::find_user("root")->user, 0u);
  EXPECT_EQ(os::find_user("no-such-user").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(os::is_system_user(0));
  EXPECT_FALSE(os::is_system_user(1900000000));
}

}  // namespace
}  // namespace freehold::agent
