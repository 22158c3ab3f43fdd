// Contents on a disk whose power is cut, and that is full, at every single change that they make.
#include <gtest/gtest.h>

#include "contents/contents.h"
#include "contents/manifest.h"
#include "contents/materialise.h"
#include "os/write_points.h"

namespace freehold::contents {
namespace {

using namespace std::chrono_literals;

constexpr Bytes kPlenty{1 << 20};

// Uploads, holds, collects what nothing needs, and builds a folder from what is there.
class Keeping {
 public:
  explicit Keeping(os::FaultDisk& disk) : disk_(disk) {
    EXPECT_TRUE(disk.make_directories("/state", 0700).ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
  }

  Result<void> open() {
    FH_ASSIGN(store_, ContentStore::open(disk_, clock_, "/state/contents", {}));
    return {};
  }
  void close() { store_.reset(); }

  void work() {
    clock_.advance(2h);
    Result<Collected> collected = store_->collect(live_, 1h);
    EXPECT_TRUE(collected.ok() || refuse(collected.error()));
    upload(true);
    upload(false);
    build();
  }

  void check() {
    for (const std::string& digest : live_) {
      auto bytes = store_->read(digest, kPlenty);
      ASSERT_TRUE(bytes.ok()) << "acknowledged and lost: " << bytes.error().message();
    }
    for (const std::string& digest : tried_) {
      auto held = store_->hold(digest);
      ASSERT_TRUE(held.ok()) << held.error().message();
      if (!*held) continue;
      ASSERT_TRUE(store_->verify(digest).ok()) << "half of a blob";
    }
    for (const auto& [folder, manifest] : built_) {
      ASSERT_TRUE(is_materialised(disk_, manifest, folder, {}).value_or(false)) << folder << " is not whole";
    }
  }
  const std::vector<Error>& refusals() const { return refusals_; }

 private:
  bool refuse(const Error& error) {
    refusals_.push_back(error);
    return true;
  }
  void upload(bool needed) {
    std::string bytes = "content " + std::to_string(tried_.size());
    tried_.push_back(codec::sha256_hex(bytes));
    auto digest = store_->put(bytes);
    if (!digest) {
      refuse(digest.error());
    } else if (needed) {
      live_.insert(*digest);
      size_ = bytes.size();
      newest_ = *digest;
    }
  }
  void build() {
    if (newest_.empty()) return;
    Manifest manifest;
    manifest.entries.push_back({.path = "folder/file", .kind = Kind::kFile, .size = size_, .digest = newest_});
    std::string folder = "/state/built-" + std::to_string(tried_.size());
    auto outcome = materialise(disk_, *store_, manifest, folder, {});
    if (!outcome) {
      refuse(outcome.error());
    } else {
      built_.emplace(folder, manifest);
    }
  }

  os::FaultDisk& disk_;
  os::FakeClock clock_;
  std::unique_ptr<ContentStore> store_;
  std::set<std::string> live_;
  std::vector<std::string> tried_;
  std::string newest_;
  uint64_t size_ = 0;
  std::map<std::string, Manifest> built_;
  std::vector<Error> refusals_;
};

TEST(ContentsPower, LosesNothingAcknowledgedWhereverThePowerIsCut) { os::cut_power_everywhere<Keeping>(1); }
TEST(ContentsPower, LosesNothingAfterAProcessWasKilled) { os::kill_everywhere<Keeping>(); }
TEST(ContentsPower, RefusesWhatFindsNoRoomAndGoesOnWhenThereIsSome) { os::fill_disk_everywhere<Keeping>(); }

}  // namespace
}  // namespace freehold::contents
