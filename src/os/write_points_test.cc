// Disk::write_durably, by which all small files are written (what the agent was told and knows of its instances, keys),
// at each of its changes; and what a FaultFile loses.
#include "os/write_points.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "os/fault_file.h"

namespace freehold::os {
namespace {

class Writing {
 public:
  explicit Writing(FaultDisk& disk) : disk_(disk) {
    EXPECT_TRUE(disk.make_directories("/d", 0700).ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
  }
  Result<void> open() { return {}; }
  void close() {}
  void work() {
    for (const char* path : {"/d/a", "/d/b", "/d/a"}) {
      ++written_;
      std::string bytes = std::to_string(written_) + std::string(written_ * 40, 'x');
      possible_[path].push_back(bytes);
      Result<void> done = disk_.write_durably(path, bytes, 0600);
      if (done) {
        possible_[path] = {bytes};
        acknowledged_.insert_or_assign(path, true);
      } else {
        refusals_.push_back(done.error());
      }
    }
  }
  void check() {
    for (const auto& [path, contents] : possible_) {
      auto found = disk_.read(path, Bytes{1 << 20});
      ASSERT_TRUE(found.ok() || !acknowledged_.contains(path)) << path << " is lost";
      if (!found) continue;
      // What was refused may be there all the same, but whole.
      ASSERT_TRUE(std::ranges::count(contents, *found) == 1) << path << " is neither the old nor a new one";
    }
  }
  const std::vector<Error>& refusals() const { return refusals_; }

 private:
  FaultDisk& disk_;
  uint64_t written_ = 0;
  std::map<std::string, std::vector<std::string>> possible_;
  std::map<std::string, bool> acknowledged_;
  std::vector<Error> refusals_;
};

TEST(WriteDurably, LosesNothingAcknowledgedWhereverThePowerIsCut) { cut_power_everywhere<Writing>(6); }
TEST(WriteDurably, LosesNothingAfterAProcessWasKilled) { kill_everywhere<Writing>(); }
TEST(WriteDurably, RefusesWhatFindsNoRoomAndGoesOnWhenThereIsSome) { fill_disk_everywhere<Writing>(); }

TEST(FaultFile, LosesWhatWasNotSyncedOrSomeSectorsOfIt) {
  FaultDisk disk;
  auto file = *disk.open_anywhere("/a", 0600);
  ASSERT_TRUE(disk.sync_directory("/").ok());
  ASSERT_TRUE(file->write(0, std::string(4096, 'a')).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(file->write(100, std::string(3000, 'b')).ok());
  EXPECT_EQ(file->read(0, 4096), std::string(100, 'a') + std::string(3000, 'b') + std::string(996, 'a'));
  SeededRandom random(7);
  disk.power_cut(&random);
  std::string torn = file->read(0, 5000);
  ASSERT_EQ(torn.size(), 4096u);
  EXPECT_NE(torn.find('b'), std::string::npos);
  EXPECT_NE(torn.substr(100, 3000), std::string(3000, 'b')) << "not all of it";
  for (size_t at : {512, 1024, 1536, 2048}) {
    std::string sector = torn.substr(at, 512);
    EXPECT_TRUE(sector == std::string(512, sector[0])) << "a sector is never torn";
  }
  ASSERT_TRUE(file->truncate(10).ok());
  disk.power_cut(nullptr);
  EXPECT_EQ(file->size(), 4096u) << "nor was the truncation synced";
}

TEST(FaultFile, TakesHalfWhenTheDiskIsFull) {
  FaultDisk disk;
  auto file = *disk.open_anywhere("/a", 0600);
  disk.fill_at(disk.changes() + 1);
  EXPECT_EQ(file->write(0, "1234").error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(file->size(), 2u);
  EXPECT_TRUE(file->sync().ok());
  EXPECT_EQ(disk.open_anywhere("/b", 0600).error().code(), ErrorCode::kExhausted);
  disk.make_room();
  EXPECT_TRUE(file->write(2, "34").ok());
}

}  // namespace
}  // namespace freehold::os
