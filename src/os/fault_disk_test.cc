#include "os/fault_disk.h"

#include <gtest/gtest.h>

namespace freehold::os {
namespace {

std::string read(Disk& disk, const std::string& path) { return disk.read(path, Bytes{1000}).value_or("(missing)"); }

TEST(FaultDisk, LosesWhatWasNotSynced) {
  FaultDisk disk;
  auto file = disk.create("/a", 0600);
  ASSERT_TRUE((*file)->append("one").ok());
  ASSERT_TRUE((*file)->sync().ok());
  ASSERT_TRUE((*file)->append("two").ok());
  ASSERT_TRUE(disk.sync_directory("/").ok());
  auto other = disk.create("/b", 0600);
  ASSERT_TRUE((*other)->append("x").ok());
  ASSERT_TRUE((*other)->sync().ok());
  EXPECT_EQ(read(disk, "/a"), "onetwo");
  disk.power_cut(nullptr);
  EXPECT_EQ(read(disk, "/a"), "one");
  EXPECT_FALSE(disk.exists("/b")) << "its bytes were synced, its entry was not";
}

TEST(FaultDisk, ForgetsARenameWhoseFolderWasNotSynced) {
  FaultDisk disk;
  ASSERT_TRUE(disk.write_durably("/a", "one", 0600).ok());
  ASSERT_TRUE(disk.rename("/a", "/b").ok());
  disk.power_cut(nullptr);
  EXPECT_EQ(read(disk, "/a"), "one");
  EXPECT_FALSE(disk.exists("/b"));
}

TEST(FaultDisk, FailsOneChangeOrAllFromOneOn) {
  FaultDisk disk;
  disk.fail_at(1, Error(ErrorCode::kDenied, "no"));
  EXPECT_EQ(disk.create("/a", 0600).error().code(), ErrorCode::kDenied);
  EXPECT_TRUE(disk.create("/a", 0600).ok());
  disk.crash_at(3);
  EXPECT_FALSE(disk.create("/b", 0600).ok());
  EXPECT_FALSE(disk.remove("/a").ok());
  disk.power_cut(nullptr);
  EXPECT_TRUE(disk.create("/b", 0600).ok());
}

TEST(FaultDisk, IsFullAtItsCapacity) {
  FaultDisk disk;
  disk.set_capacity(Bytes{5});
  auto file = disk.create("/a", 0600);
  ASSERT_TRUE((*file)->append("1234").ok());
  EXPECT_EQ(disk.free_space("/")->count, 1u);
  EXPECT_EQ((*file)->append("5678").error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(read(disk, "/a"), "12345") << "a full disk takes what fits";
}

// The promise of Disk itself: at whatever change the power goes, the file has its old or its new content, and the new
// one for certain once the call returned.
TEST(DiskWriteDurably, IsAllOrNothingWhereverThePowerIsCut) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    for (uint64_t change = 1;; ++change) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", power cut at change " << change);
      SeededRandom random(seed);
      FaultDisk disk;
      ASSERT_TRUE(disk.make_directories("/d", 0700).ok());
      ASSERT_TRUE(disk.sync_directory("/").ok());
      ASSERT_TRUE(disk.write_durably("/d/a", "old", 0600).ok());
      disk.crash_at(disk.changes() + change);
      bool written = disk.write_durably("/d/a", "new, and longer", 0600).ok();
      disk.power_cut(seed == 0 ? nullptr : &random);
      std::string found = read(disk, "/d/a");
      if (written) {
        ASSERT_EQ(found, "new, and longer");
        break;
      }
      ASSERT_TRUE(found == "old" || found == "new, and longer") << found;
    }
  }
}

TEST(DiskWriteDurably, LeavesTheOldContentOnAFullDisk) {
  FaultDisk disk;
  ASSERT_TRUE(disk.write_durably("/a", "old", 0600).ok());
  disk.set_capacity(Bytes{10});
  EXPECT_EQ(disk.write_durably("/a", "much too long", 0600).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(read(disk, "/a"), "old");
  EXPECT_EQ(disk.list("/")->size(), 1u) << "and nothing beside it that takes room";
}

}  // namespace
}  // namespace freehold::os
