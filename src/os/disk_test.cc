#include "os/disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"

namespace freehold::os {
namespace {

class DiskTest : public testing::Test {
 protected:
  DiskTest() {
    char name[] = "/tmp/freehold-disk-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~DiskTest() override { (void)disk_.remove_tree(folder_).ok(); }
  std::string path(const char* name) { return join_path(folder_, name); }

  Disk& disk_ = system_disk();
  std::string folder_;
};

TEST_F(DiskTest, WritesDurablyAndReadsBack) {
  ASSERT_TRUE(disk_.write_durably(path("a"), "one", 0600).ok());
  ASSERT_TRUE(disk_.write_durably(path("a"), "two", 0600).ok());
  EXPECT_EQ(*disk_.read(path("a"), Bytes{3}), "two");
  EXPECT_EQ(disk_.list(folder_)->size(), 1u) << "nothing is left beside it";
}

TEST_F(DiskTest, RefusesToReadMoreThanTheLimit) {
  ASSERT_TRUE(disk_.write_durably(path("a"), std::string(100, 'x'), 0600).ok());
  EXPECT_EQ(disk_.read(path("a"), Bytes{99}).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(disk_.read(path("a"), Bytes{100})->size(), 100u);
}

TEST_F(DiskTest, RefusesToReadAFifoOrAFolder) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(disk_.read(path("fifo"), Bytes{10}).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(disk_.read(folder_, Bytes{10}).error().code(), ErrorCode::kInvalid);
}

TEST_F(DiskTest, ReadsProcFilesWhoseSizeIsUnknown) {
  EXPECT_FALSE(disk_.read("/proc/self/stat", Bytes{4096})->empty());
}

TEST_F(DiskTest, NamesThePathInAnError) {
  auto result = disk_.read(path("missing"), Bytes{10});
  EXPECT_EQ(result.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(result.error().message().find(path("missing")), std::string::npos);
}

TEST_F(DiskTest, RemovesATreeWithoutFollowingLinks) {
  ASSERT_TRUE(disk_.make_directories(path("tree/deep/er"), 0700).ok());
  ASSERT_TRUE(disk_.write_durably(path("keep"), "x", 0600).ok());
  ASSERT_EQ(symlink(path("keep").c_str(), path("tree/link").c_str()), 0);
  ASSERT_TRUE(disk_.remove_tree(path("tree")).ok());
  EXPECT_TRUE(disk_.exists(path("keep")));
  EXPECT_FALSE(disk_.exists(path("tree")));
}

TEST_F(DiskTest, RemovesATreeThatIsDeeperThanAnyPath) {
  ASSERT_TRUE(disk_.make_directories(path("tree"), 0755).ok());
  Fd at(open(path("tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 3000; ++depth) {
    ASSERT_EQ(mkdirat(at.get(), "down", 0755), 0);
    Fd file(openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    at.reset(openat(at.get(), "down", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at);
  }
  auto removed = disk_.remove_tree(path("tree"));
  EXPECT_TRUE(removed.ok()) << removed.error().message();
  EXPECT_FALSE(disk_.exists(path("tree")));
}

TEST_F(DiskTest, RemovesWhatItsOwnerClosed) {
  ASSERT_TRUE(disk_.make_directories(path("tree") + "/closed/inner", 0755).ok());
  ASSERT_TRUE(disk_.set_mode(path("tree") + "/closed", 0).ok());
  EXPECT_TRUE(disk_.remove_tree(path("tree")).ok());
  EXPECT_FALSE(disk_.exists(path("tree")));
}

TEST_F(DiskTest, MakesAndReadsLinks) {
  ASSERT_TRUE(disk_.make_symlink("some/where", path("link")).ok());
  EXPECT_EQ(*disk_.read_link(path("link")), "some/where");
  EXPECT_EQ(disk_.info(path("link"))->kind, FileKind::kSymlink);
  EXPECT_EQ(disk_.make_symlink("x", path("link")).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(disk_.read_link(folder_).error().code(), ErrorCode::kInvalid);
}

TEST_F(DiskTest, TellsAboutTheFileThatIsOpenAfterItsPathNamesAnother) {
  ASSERT_TRUE(disk_.write_durably(path("a"), "one", 0600).ok());
  auto file = disk_.open(path("a"));
  ASSERT_TRUE(disk_.write_durably(path("a"), "other", 0600).ok());
  EXPECT_EQ((*file)->info()->size, 3u);
  EXPECT_NE((*file)->info()->inode, disk_.info(path("a"))->inode);
}

TEST_F(DiskTest, LinksAFileOrReplacesWhatIsThere) {
  ASSERT_TRUE(disk_.write_durably(path("program"), "one", 0755).ok());
  ASSERT_TRUE(link_or_copy(disk_, path("program"), path("linked"), 0755).ok());
  EXPECT_EQ(disk_.info(path("linked"))->inode, disk_.info(path("program"))->inode);
  ASSERT_TRUE(disk_.write_durably(path("program"), "two", 0755).ok());
  EXPECT_EQ(*disk_.read(path("linked"), Bytes{3}), "one") << "a program that is replaced is another file";
  ASSERT_TRUE(link_or_copy(disk_, path("program"), path("linked"), 0755).ok());
  EXPECT_EQ(*disk_.read(path("linked"), Bytes{3}), "two");
}

TEST_F(DiskTest, CopiesWhereALinkIsNotPossible) {
  std::string other = "/dev/shm/freehold-disk-test-" + std::to_string(getpid());
  if (!disk_.write_durably(other, "bytes", 0755).ok()) GTEST_SKIP() << "/dev/shm cannot be written";
  EXPECT_TRUE(link_or_copy(disk_, other, path("copied"), 0755).ok());
  EXPECT_EQ(*disk_.read(path("copied"), Bytes{5}), "bytes");
  EXPECT_EQ(disk_.info(path("copied"))->mode, 0755u);
  EXPECT_TRUE(disk_.remove(other).ok());
}

TEST(ParentPath, GivesTheFolder) {
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(parent_path("/a"), "/");
}

}  // namespace
}  // namespace freehold::os
