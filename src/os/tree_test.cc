#include "os/tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/disk.h"

namespace freehold::os {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Key;
using testing::Pair;

// Takes a tree in; `at_data` is called with each piece.
class Collector : public TreeVisitor {
 public:
  Result<void> on_entry(const TreeEntry& entry) override {
    at_ = entry.path;
    entries[entry.path] = entry;
    if (builder != nullptr) return builder->add(entry);
    return {};
  }
  Result<void> on_data(std::string_view bytes) override {
    data[at_] += bytes;
    if (at_data) at_data();
    if (builder != nullptr) return builder->write(bytes);
    return {};
  }
  void on_changed(const std::string& path) override { changed.push_back(path); }
  void on_left_out(const std::string& path, Why why, const std::string&) override { left_out[path] = why; }

  std::map<std::string, TreeEntry> entries;
  std::map<std::string, std::string> data;
  std::vector<std::string> changed;
  std::map<std::string, Why> left_out;
  std::function<void()> at_data;
  TreeBuilder* builder = nullptr;

 private:
  std::string at_;
};

class TreeTest : public testing::Test {
 protected:
  TreeTest() {
    char name[] = "/tmp/freehold-tree-XXXXXX";
    folder_ = mkdtemp(name);
    from_ = folder_ + "/from";
    to_ = folder_ + "/to";
    mkdir(from_.c_str(), 0750);
    mkdir(to_.c_str(), 0700);
  }
  ~TreeTest() override { (void)disk_.remove_tree(folder_).ok(); }
  void put(const std::string& path, std::string_view bytes, mode_t mode = 0644) {
    ASSERT_TRUE(disk_.write_durably(from_ + "/" + path, bytes, mode).ok());
    ASSERT_TRUE(disk_.set_mode(from_ + "/" + path, mode).ok());
  }
  Collector look(const std::string& root, const std::set<FileIdentity>& except = {}) {
    Collector out;
    auto done = read_tree(root, except, out);
    EXPECT_TRUE(done.ok()) << done.error().message();
    return out;
  }
  std::unique_ptr<TreeBuilder> build() { return *TreeBuilder::open(to_, TreeBuilder::Owners::kOurs); }

  Disk& disk_ = system_disk();
  std::string folder_, from_, to_;
};

TEST_F(TreeTest, IsBuiltAgainAsItWas) {
  ASSERT_TRUE(disk_.make_directories(from_ + "/a/b", 0700).ok());
  put("a/file", "hello", 0640);
  put("a/script", "#!", 04755);
  put("empty", "");
  ASSERT_EQ(link((from_ + "/a/file").c_str(), (from_ + "/same").c_str()), 0);
  ASSERT_EQ(symlink("/etc/passwd", (from_ + "/a/link").c_str()), 0);
  Fd sparse(open((from_ + "/holes").c_str(), O_WRONLY | O_CREAT, 0600));
  ASSERT_EQ(pwrite(sparse.get(), "end", 3, 1 << 20), 3);
  ASSERT_EQ(ftruncate(sparse.get(), 2 << 20), 0);
  sparse.reset();
  ASSERT_EQ(chmod((from_ + "/a/b").c_str(), 0500), 0);
  const timespec times[2] = {{100, 1}, {200, 2}};
  ASSERT_EQ(utimensat(AT_FDCWD, (from_ + "/a").c_str(), times, 0), 0);

  auto builder = build();
  Collector copying;
  copying.builder = builder.get();
  ASSERT_TRUE(read_tree(from_, {}, copying).ok());
  auto finished = builder->finish();
  ASSERT_TRUE(finished.ok()) << finished.error().message();
  ASSERT_TRUE(builder->sync().ok());

  Collector before = look(from_), after = look(to_);
  EXPECT_EQ(before.data, after.data);
  EXPECT_EQ(after.entries["a"].modified, std::chrono::seconds(200) + Duration(2));
  EXPECT_EQ(after.entries["a/script"].mode, 04755u);
  EXPECT_EQ(after.entries["holes"].size, uint64_t{2} << 20);
  EXPECT_LT(after.entries["holes"].data_size(), uint64_t{1} << 20) << "the holes are holes";
  // Which of two links is the file depends on the order in which a folder gives them.
  for (Collector* one : {&before, &after}) {
    for (const char* path : {"a/file", "same"}) {
      EXPECT_EQ(disk_.info((one == &before ? from_ : to_) + "/" + path)->size, 5u);
      one->entries.erase(path);
    }
  }
  EXPECT_EQ(before.entries, after.entries);
  EXPECT_EQ(disk_.info(to_ + "/a/file")->inode, disk_.info(to_ + "/same")->inode);
}

TEST_F(TreeTest, LeavesOutAndNamesWhatCannotBeKept) {
  put("file", "x");
  ASSERT_EQ(mkfifo((from_ + "/pipe").c_str(), 0600), 0);
  std::string deep = from_;
  for (size_t i = 0; i < kMostTreeDepth + 1; ++i) deep += "/d";
  ASSERT_TRUE(disk_.make_directories(deep, 0700).ok());
  Collector seen = look(from_);
  EXPECT_THAT(seen.left_out, Contains(Pair("pipe", TreeVisitor::Why::kSpecial)));
  EXPECT_EQ(seen.left_out.size(), 2u);
  EXPECT_THAT(seen.entries, Contains(Key("file")));
}

TEST_F(TreeTest, LeavesOutWithoutAWordWhatIsExcepted) {
  put("file", "x");
  auto info = disk_.info(from_ + "/file");
  Collector seen = look(from_, {{info->device, info->inode}});
  EXPECT_FALSE(seen.entries.contains("file"));
  EXPECT_TRUE(seen.left_out.empty());
}

TEST_F(TreeTest, TellsOfAFileThatIsWrittenMeanwhileAndGivesWhatItPromised) {
  put("file", std::string(1 << 20, 'x'));
  Collector seen;
  seen.at_data = [&] {
    if (truncate((from_ + "/file").c_str(), 300'000) != 0) FAIL();
  };
  ASSERT_TRUE(read_tree(from_, {}, seen).ok());
  EXPECT_THAT(seen.changed, ElementsAre("file"));
  EXPECT_EQ(seen.data["file"].size(), size_t{1} << 20);
}

TEST_F(TreeTest, FollowsNoLinkThatTakesThePlaceOfAFolder) {
  ASSERT_TRUE(disk_.make_directories(from_ + "/secret", 0700).ok());
  put("secret/key", "x");
  ASSERT_EQ(symlink("secret", (from_ + "/folder").c_str()), 0);
  Collector seen = look(from_);
  EXPECT_EQ(seen.entries["folder"].kind, TreeKind::kSymlink);
  EXPECT_FALSE(seen.entries.contains("folder/key"));
  EXPECT_FALSE(read_tree(from_ + "/folder", {}, seen).ok()) << "nor as the root";
}

TEST_F(TreeTest, IsBuiltNowhereElse) {
  auto builder = build();
  ASSERT_TRUE(builder->add({.path = "out", .kind = TreeKind::kSymlink, .target = from_}).ok());
  EXPECT_FALSE(builder->add({.path = "out/file"}).ok()) << "through a link";
  for (const char* path : {"../x", "a/../../x", "/etc/x", "a//b", "."})
    EXPECT_FALSE(builder->add({.path = path}).ok()) << path;
  EXPECT_FALSE(builder->add({.path = "linked", .kind = TreeKind::kHardLink, .target = "out/file"}).ok());
  EXPECT_FALSE(builder->add({.path = "linked", .kind = TreeKind::kHardLink, .target = "../from"}).ok());
  EXPECT_EQ(disk_.list(from_)->size(), 0u);
}

TEST_F(TreeTest, TakesExactlyTheBytesThatAFileHas) {
  auto builder = build();
  ASSERT_TRUE(builder->add({.path = "file", .size = 5, .extents = {{0, 5}}}).ok());
  ASSERT_TRUE(builder->write("123").ok());
  EXPECT_FALSE(builder->finish().ok());
  ASSERT_TRUE(builder->add({.path = "other", .size = 2, .extents = {{0, 2}}}).ok());
  EXPECT_FALSE(builder->write("123").ok());
}

}  // namespace
}  // namespace freehold::os
