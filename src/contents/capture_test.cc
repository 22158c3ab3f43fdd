#include "contents/capture.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace freehold::contents {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CaptureTest : public testing::Test {
 protected:
  CaptureTest() {
    char name[] = "/tmp/freehold-capture-XXXXXX";
    folder_ = mkdtemp(name);
    base_ = folder_ + "/base";
    write("base/bin/web", "#!web", 0755);
    write("base/assets/index.html", "<html>");
    write("base/assets/css/main.css", "body {}");
    write("outside.txt", "not ours");
  }
  ~CaptureTest() override { (void)disk_.remove_tree(folder_).ok(); }

  void write(const std::string& path, std::string_view bytes, mode_t mode = 0644) {
    std::string full = folder_ + "/" + path;
    ASSERT_TRUE(disk_.make_directories(os::parent_path(full), 0755).ok());
    ASSERT_TRUE(disk_.write_durably(full, bytes, mode).ok());
  }
  void link(const std::string& target, const std::string& path) {
    ASSERT_TRUE(disk_.make_symlink(target, folder_ + "/" + path).ok());
  }
  Result<Capture> take(std::vector<std::string> paths, Limits limits = {}) {
    return capture(disk_, base_, paths, limits);
  }
  std::vector<std::string> paths_of(const Result<Capture>& captured) {
    std::vector<std::string> paths;
    if (!captured) return {captured.error().message()};
    for (const auto& entry : captured->manifest.entries) paths.push_back(entry.path);
    return paths;
  }
  std::string refusal(std::vector<std::string> paths, Limits limits = {}) {
    auto captured = take(std::move(paths), limits);
    return captured ? "(taken)" : captured.error().message();
  }

  os::Disk& disk_ = os::system_disk();
  std::string folder_;
  std::string base_;
};

TEST_F(CaptureTest, TakesFilesAndFoldersByContent) {
  auto captured = take({"bin/web", "assets"});
  ASSERT_THAT(paths_of(captured), ElementsAre("assets/css/main.css", "assets/index.html", "bin/web"));
  const auto& web = captured->manifest.entries[2];
  EXPECT_TRUE(web.executable);
  EXPECT_FALSE(captured->manifest.entries[0].executable);
  EXPECT_EQ(web.size, 5u);
  EXPECT_EQ(web.digest, codec::sha256_hex("#!web"));
  std::string bytes;
  ASSERT_TRUE(read_captured(disk_, *captured, web.digest, [&](std::string_view piece) -> Result<void> {
                bytes += piece;
                return {};
              }).ok());
  EXPECT_EQ(bytes, "#!web");
  EXPECT_EQ(read_captured(disk_, *captured, codec::sha256_hex("?"), {}).error().code(), ErrorCode::kNotFound);
}

TEST_F(CaptureTest, GivesTheSameManifestForTheSameFiles) {
  std::string one = take({"assets", "bin/web"})->manifest.digest();
  EXPECT_EQ(take({"bin/web", "assets", "assets/css", "assets"})->manifest.digest(), one);
  write("base/bin/web", "#!wex", 0755);
  EXPECT_NE(take({"assets", "bin/web"})->manifest.digest(), one);
}

TEST_F(CaptureTest, TakesTheWholeFolderAndEmptyOnes) {
  ASSERT_TRUE(disk_.make_directories(base_ + "/uploads", 0755).ok());
  EXPECT_THAT(paths_of(take({"."})), ElementsAre("assets/css/main.css", "assets/index.html", "bin/web", "uploads"));
  EXPECT_THAT(paths_of(take({})), IsEmpty());
}

TEST_F(CaptureTest, TakesWhatANamedLinkLeadsTo) {
  write("base/releases/7/web", "seven", 0755);
  link("releases/7", "base/current");
  link("../current/web", "base/bin/now");
  auto captured = take({"bin/now", "current/web"});
  ASSERT_THAT(paths_of(captured), ElementsAre("bin/now", "current/web"));
  EXPECT_EQ(captured->manifest.entries[0].kind, Kind::kFile);
  EXPECT_EQ(captured->manifest.entries[0].digest, codec::sha256_hex("seven"));
}

TEST_F(CaptureTest, KeepsLinksInsideAFolder) {
  link("../index.html", "base/assets/css/up");
  link("css", "base/assets/styles");
  link("styles/main.css", "base/assets/through");
  link("nowhere", "base/assets/dangling");
  auto captured = take({"assets"});
  ASSERT_TRUE(captured.ok()) << captured.error().message();
  EXPECT_EQ(captured->manifest.entries[0],
            (ManifestEntry{.path = "assets/css/main.css", .size = 7, .digest = codec::sha256_hex("body {}")}));
  EXPECT_EQ(captured->manifest.entries[1].target, "../index.html");
}

TEST_F(CaptureTest, RefusesLinksThatLeadOut) {
  link("../../outside.txt", "base/assets/out");
  EXPECT_THAT(refusal({"assets"}), HasSubstr("assets/out: the link leads to '../../outside.txt', out of the folder"));
  ASSERT_TRUE(disk_.remove(base_ + "/assets/out").ok());
  link("/etc/passwd", "base/assets/out");
  EXPECT_THAT(refusal({"assets"}), HasSubstr("only a relative one"));
  ASSERT_TRUE(disk_.remove(base_ + "/assets/out").ok());
  link("../bin/web", "base/assets/out");
  EXPECT_THAT(refusal({"assets"}), HasSubstr("leads to bin/web, which is not taken along"));
  EXPECT_TRUE(take({"assets", "bin"}).ok()) << "unless that is named as well";
  link("../..", "base/bin/up");
  EXPECT_THAT(refusal({"bin/up"}), HasSubstr("leads out of"));
  link("/", "base/bin/root");
  EXPECT_THAT(refusal({"bin/root/etc"}), HasSubstr("leads out of"));
  link("loop", "base/loop");
  EXPECT_THAT(refusal({"loop"}), HasSubstr("without end"));
}

TEST_F(CaptureTest, RefusesSpecialFiles) {
  ASSERT_EQ(mkfifo((base_ + "/assets/pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal({"assets"}), HasSubstr("assets/pipe is a device, a socket or a FIFO"));
}

TEST_F(CaptureTest, RefusesNamesThatAreNoUtf8) {
  write("base/assets/\xff.txt", "x");
  EXPECT_THAT(refusal({"assets"}), HasSubstr("not named in UTF-8"));
}

TEST_F(CaptureTest, RefusesPathsOutsideOrMissing) {
  EXPECT_EQ(take({"../outside.txt"}).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(take({"/etc/passwd"}).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(take({"bin/missing"}).error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(refusal({"bin/missing"}), HasSubstr("bin/missing"));
}

TEST_F(CaptureTest, HoldsItsLimits) {
  EXPECT_THAT(refusal({"assets"}, {.entries = 1}), HasSubstr("more than 1 files"));
  EXPECT_THAT(refusal({"assets"}, {.total = Bytes{10}}), HasSubstr("larger than 10 B"));
  EXPECT_THAT(refusal({"assets"}, {.depth = 2}), HasSubstr("deeper than 2"));
}

TEST_F(CaptureTest, NoticesAFileThatChangedBeforeItWasSent) {
  auto captured = take({"bin/web"});
  write("base/bin/web", "#!wex", 0755);
  auto read =
      read_captured(disk_, *captured, codec::sha256_hex("#!web"), [](std::string_view) { return Result<void>(); });
  EXPECT_EQ(read.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(read.error().message(), HasSubstr("bin/web changed"));
}

TEST_F(CaptureTest, NoticesAFileThatGrowsWhileItIsRead) {
  auto captured = take({"bin/web"});
  auto grow = [&](std::string_view) -> Result<void> {
    FH_ASSIGN(auto file, disk_.open_append(base_ + "/bin/web", 0755));
    return file->append("more");
  };
  EXPECT_EQ(read_captured(disk_, *captured, codec::sha256_hex("#!web"),
                          [&](std::string_view piece) { return piece == "#!web" ? grow(piece) : Result<void>(); })
                .error()
                .code(),
            ErrorCode::kConflict);
}

}  // namespace
}  // namespace freehold::contents
