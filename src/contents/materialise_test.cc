#include "contents/materialise.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contents/capture.h"
#include "os/fault_disk.h"

namespace freehold::contents {
namespace {

constexpr Bytes kPlenty{1 << 20};

// A small release, its contents stored on a disk that can lose power.
class MaterialiseTest : public testing::Test {
 protected:
  MaterialiseTest() {
    EXPECT_TRUE(disk_.make_directories("/agent/releases", 0700).ok());
    EXPECT_TRUE(disk_.sync_directory("/agent").ok());
    EXPECT_TRUE(disk_.sync_directory("/").ok());
    store_ = *ContentStore::open(disk_, clock_, "/contents", {});
    add("assets/index.html", "<html>");
    manifest_.entries.push_back({.path = "assets/latest", .kind = Kind::kLink, .target = "index.html"});
    add("bin/web", "#!web");
    manifest_.entries.back().executable = true;
    manifest_.entries.push_back({.path = "empty", .kind = Kind::kFolder});
  }
  void add(const std::string& path, const std::string& bytes) {
    manifest_.entries.push_back({.path = path, .size = bytes.size(), .digest = *store_->put(bytes)});
  }
  Result<Outcome> build() { return materialise(disk_, *store_, manifest_, kPlace, placement_); }
  std::string read(const std::string& path) { return disk_.read(kPlace + "/" + path, kPlenty).value_or("(missing)"); }

  const std::string kPlace = "/agent/releases/one";
  os::FaultDisk disk_;
  os::FakeClock clock_;
  std::unique_ptr<ContentStore> store_;
  Manifest manifest_;
  Placement placement_{.owner = 7, .group = 8};
};

TEST_F(MaterialiseTest, BuildsFilesFoldersAndLinksWithTheirModes) {
  ASSERT_EQ(*build(), Outcome::kBuilt);
  EXPECT_EQ(read("assets/index.html"), "<html>");
  EXPECT_EQ(read("bin/web"), "#!web");
  EXPECT_EQ(*disk_.read_link(kPlace + "/assets/latest"), "index.html");
  EXPECT_EQ(disk_.info(kPlace + "/bin/web")->mode, 0755u);
  EXPECT_EQ(disk_.info(kPlace + "/assets/index.html")->mode, 0644u);
  EXPECT_EQ(disk_.info(kPlace + "/empty")->mode, 0755u);
  EXPECT_EQ(disk_.info(kPlace + "/bin/web")->owner, 7u);
  EXPECT_EQ(disk_.info(kPlace)->group, 8u);
  EXPECT_EQ(disk_.list("/agent/releases")->size(), 1u) << "nothing is left beside it";
}

TEST_F(MaterialiseTest, KeepsOneThatIsRight) {
  ASSERT_TRUE(build().ok());
  uint64_t inode = disk_.info(kPlace)->inode;
  EXPECT_EQ(*build(), Outcome::kKept);
  EXPECT_EQ(disk_.info(kPlace)->inode, inode);
}

TEST_F(MaterialiseTest, ReplacesOneThatDiffersInAnything) {
  std::vector<std::function<Result<void>()>> damages = {
      [&] { return disk_.write_durably(kPlace + "/bin/web", "#!wex", 0755); },
      [&] { return disk_.write_durably(kPlace + "/bin/extra", "x", 0644); },
      [&] { return disk_.remove(kPlace + "/bin/web"); },
      [&] { return disk_.remove(kPlace + "/empty"); },
      [&] { return disk_.make_directories(kPlace + "/another", 0755); },
      [&] { return disk_.set_mode(kPlace + "/bin/web", 0644); },
      [&] { return disk_.set_mode(kPlace + "/bin", 0777); },
      [&] { return disk_.set_mode(kPlace, 0777); },
      [&] { return disk_.set_owner(kPlace + "/bin/web", 9, 8); },
      [&] { return disk_.set_owner(kPlace + "/assets", 7, 9); },
      [&] { return disk_.remove(kPlace + "/assets/latest"); },
      [&]() -> Result<void> {
        FH_TRY(disk_.remove(kPlace + "/assets/latest"));
        return disk_.make_symlink("../bin/web", kPlace + "/assets/latest");
      },
      [&]() -> Result<void> {
        FH_TRY(disk_.remove_tree(kPlace));
        return disk_.write_durably(kPlace, "a file", 0644);
      },
  };
  ASSERT_TRUE(build().ok());
  for (size_t i = 0; i < damages.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_TRUE(damages[i]().ok());
    ASSERT_FALSE(*is_materialised(disk_, manifest_, kPlace, placement_));
    ASSERT_EQ(*build(), Outcome::kReplaced);
    ASSERT_TRUE(*is_materialised(disk_, manifest_, kPlace, placement_));
    ASSERT_EQ(disk_.list("/agent/releases")->size(), 1u);
  }
}

TEST_F(MaterialiseTest, RefusesMissingDamagedAndMislabelledContents) {
  const std::string& digest = manifest_.entries[0].digest;
  std::string blob = "/contents/" + digest.substr(0, 2) + "/" + digest;
  ASSERT_TRUE(disk_.write_durably(blob, "<htmx>", 0600).ok());
  EXPECT_EQ(build().error().code(), ErrorCode::kCorrupt);
  ASSERT_TRUE(disk_.write_durably(blob, std::string(100, 'x'), 0600).ok());
  EXPECT_EQ(build().error().code(), ErrorCode::kInvalid) << "longer than the manifest says";
  ASSERT_TRUE(disk_.remove(blob).ok());
  EXPECT_EQ(build().error().code(), ErrorCode::kNotFound);
  manifest_.entries[0].path = "../escape";
  EXPECT_EQ(build().error().code(), ErrorCode::kInvalid);
  EXPECT_TRUE(disk_.list("/agent/releases")->empty()) << "what was begun is gone";
}

TEST_F(MaterialiseTest, LeavesNothingOnAFullDisk) {
  uint64_t before = 0;
  for (const auto& entry : manifest_.entries) before += entry.size;
  disk_.set_capacity(Bytes{before + 8});
  EXPECT_EQ(build().error().code(), ErrorCode::kExhausted);
  EXPECT_TRUE(disk_.list("/agent/releases")->empty());
}

// At whatever change the power goes, the destination is missing or complete, and the next call makes it complete.
TEST_F(MaterialiseTest, IsWholeOrMissingWhereverThePowerIsCut) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    for (bool replace : {false, true}) {
      for (uint64_t change = 1;; ++change) {
        SCOPED_TRACE(testing::Message() << "seed " << seed << ", replacing " << replace << ", power cut at " << change);
        os::SeededRandom random(seed);
        ASSERT_TRUE(disk_.remove_tree(kPlace).ok());
        ASSERT_TRUE(disk_.sync_directory("/agent/releases").ok());
        Manifest older = manifest_;
        older.entries.pop_back();
        if (replace) {
          ASSERT_TRUE(materialise(disk_, *store_, older, kPlace, placement_).ok());
        }
        disk_.crash_at(disk_.changes() + change);
        bool built = build().ok();
        bool crashed = disk_.crashed();
        disk_.power_cut(seed == 0 ? nullptr : &random);
        bool whole = disk_.exists(kPlace) && *is_materialised(disk_, manifest_, kPlace, placement_);
        bool still = replace && disk_.exists(kPlace) && *is_materialised(disk_, older, kPlace, placement_);
        ASSERT_TRUE(whole || still || !disk_.exists(kPlace));
        ASSERT_TRUE(whole || !built);
        ASSERT_TRUE(build().ok());
        ASSERT_TRUE(*is_materialised(disk_, manifest_, kPlace, placement_));
        if (!crashed) break;
      }
    }
  }
}

TEST(MaterialiseOnTheSystem, BuildsWhatWasCapturedWhateverTheUmask) {
  os::Disk& disk = os::system_disk();
  char name[] = "/tmp/freehold-materialise-XXXXXX";
  std::string folder = mkdtemp(name);
  ASSERT_TRUE(disk.make_directories(folder + "/src/bin", 0700).ok());
  ASSERT_TRUE(disk.write_durably(folder + "/src/bin/web", std::string(600'000, 'w'), 0700).ok());
  ASSERT_TRUE(disk.write_durably(folder + "/src/page", "hello", 0600).ok());
  ASSERT_TRUE(disk.make_symlink("bin/web", folder + "/src/link").ok());
  std::vector<std::string> paths = {"."};
  auto captured = capture(disk, folder + "/src", paths, {});
  ASSERT_TRUE(captured.ok()) << captured.error().message();
  auto store = ContentStore::open(disk, os::system_clock(), folder + "/contents", {});
  for (const auto& [digest, source] : captured->sources) {
    auto upload = (*store)->begin_upload();
    ASSERT_TRUE(
        read_captured(disk, *captured, digest, [&](std::string_view piece) { return upload->append(piece); }).ok());
    ASSERT_TRUE(upload->finish(digest).ok());
  }
  mode_t before = umask(0077);
  auto built = materialise(disk, **store, captured->manifest, folder + "/built", {});
  umask(before);
  ASSERT_TRUE(built.ok()) << built.error().message();
  EXPECT_EQ(disk.info(folder + "/built/bin/web")->mode, 0755u);
  EXPECT_EQ(disk.info(folder + "/built/page")->mode, 0644u);
  EXPECT_EQ(disk.info(folder + "/built/bin")->mode, 0755u);
  EXPECT_EQ(*materialise(disk, **store, captured->manifest, folder + "/built", {}), Outcome::kKept);
  EXPECT_EQ(capture(disk, folder + "/built", paths, {})->manifest.digest(), captured->manifest.digest());
  ASSERT_TRUE(disk.remove_tree(folder).ok());
}

}  // namespace
}  // namespace freehold::contents
