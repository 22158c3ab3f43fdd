// The log that the keeper writes: whole, in order, bounded, whatever the workload prints and the disk allows.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "agent/launcher_fixture.h"

namespace freehold::agent {
namespace {

using KeeperLogTest = LauncherFixture;

TEST_F(KeeperLogTest, HoldsEveryLineInOrderWithItsStream) {
  LaunchSpec spec =
      shell("i=0; while test $i -lt 3000; do echo line $i; i=$((i+1)); done; echo oops >&2; printf unfinished");
  run(spec);
  auto log = log_of(spec);
  ASSERT_EQ(log.size(), 3002u);
  int next = 0;
  for (const codec::Json& record : log) {
    EXPECT_EQ(record["service"].as_string(), "web");
    EXPECT_EQ(record["instance"].as_string(), spec.instance);
    EXPECT_TRUE(parse_time(record["time"].as_string()).ok()) << record["time"].as_string();
    if (record["stream"].as_string() == "stderr") {
      EXPECT_EQ(record["line"].as_string(), "oops");
    } else if (next < 3000) {
      ASSERT_EQ(record["line"].as_string(), fmt::format("line {}", next++));
    } else {
      EXPECT_EQ(record["line"].as_string(), "unfinished");
    }
  }
  EXPECT_GT(*parse_time(log[0]["time"].as_string()), os::system_clock().wall() - 5min);
}

TEST_F(KeeperLogTest, IsRotatedAndBounded) {
  LaunchSpec spec = shell("i=0; while test $i -lt 3000; do echo line $i; i=$((i+1)); done");
  spec.log = {Bytes{16 << 10}, 3};
  run(spec);
  auto files = os::system_disk().list(spec.log_folder);
  ASSERT_EQ(files->size(), 3u);
  for (const os::FileInfo& file : *files) EXPECT_LE(file.size, 16u << 10);
  auto log = log_of(spec);
  ASSERT_GT(log.size(), 200u);
  // The newest lines, without a gap.
  for (size_t i = 0; i < log.size(); ++i)
    ASSERT_EQ(log[i]["line"].as_string(), fmt::format("line {}", 3000 - log.size() + i));
}

TEST_F(KeeperLogTest, GoesOnInTheSameFileWhenStartedAgain) {
  LaunchSpec spec = shell("echo once");
  run(spec);
  // As a machine that stopped in the middle of a record leaves it.
  std::string path = spec.log_folder + "/" + spec.instance + ".log";
  std::ofstream(path, std::ios::app) << "{\"time\":\"20";
  run(spec);
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_EQ(text.find("{\"time\":\"20\n{\""), text.find("{\"time\":\"20\n"));
  std::ofstream(path, std::ios::trunc);
}

TEST_F(KeeperLogTest, SplitsAndMarksLongLines) {
  LaunchSpec spec = shell("head -c 40000 /dev/zero | tr '\\0' x; echo; echo short");
  run(spec);
  auto log = log_of(spec);
  ASSERT_EQ(log.size(), 4u);
  EXPECT_EQ(log[0]["line"].as_string().size(), 16384u);
  EXPECT_TRUE(log[0]["continued"].as_bool());
  EXPECT_TRUE(log[1]["continued"].as_bool());
  EXPECT_FALSE(log[2].has("continued"));
  EXPECT_EQ(log[0]["line"].as_string().size() + log[1]["line"].as_string().size() + log[2]["line"].as_string().size(),
            40000u);
  EXPECT_EQ(log[3]["line"].as_string(), "short");
}

TEST_F(KeeperLogTest, CutsLongLinesBetweenCharacters) {
  LaunchSpec spec = shell("printf x; i=0; while test $i -lt 9000; do printf '\\303\\251'; i=$((i+1)); done");
  run(spec);
  auto log = log_of(spec);
  ASSERT_EQ(log.size(), 2u);
  std::string whole = log[0]["line"].as_string() + log[1]["line"].as_string();
  EXPECT_EQ(whole.find("\xEF\xBF\xBD"), std::string::npos);
  EXPECT_EQ(whole.size(), 18001u);
}

TEST_F(KeeperLogTest, MakesTextOfAnyBytes) {
  LaunchSpec spec = shell(
      "printf 'a\\000b\\377c\\033[31m\\302\\233d\\t\"\\\\ \\355\\240\\200 \\360\\237\\230\\200\\r\\n'; head -c 300000 "
      "/dev/urandom");
  run(spec);
  auto log = log_of(spec);  // which checks that each line is JSON
  ASSERT_GT(log.size(), 100u);
  const char expected[] =
      "a\0b\xEF\xBF\xBD"
      "c\x1b[31m\xC2\x9B"
      "d\t\"\\ \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xF0\x9F\x98\x80\r";
  EXPECT_EQ(log[0]["line"].as_string(), std::string(expected, sizeof expected - 1));
  std::ifstream file(spec.log_folder + "/" + spec.instance + ".log");
  for (char c; file.get(c);) ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << "a control character";
}

// A folder for its log of that size alone; gone with the test.
class SmallDisk {
 public:
  SmallDisk(const std::string& folder, const std::string& options) : folder_(folder) {
    mkdir(folder.c_str(), 0755);
    mounted_ = mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool resize(const std::string& options) const {
    return mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, options.c_str()) == 0;
  }

 private:
  std::string folder_;
  bool mounted_ = false;
};

int64_t dropped_in(const std::vector<codec::Json>& log) {
  int64_t dropped = 0;
  for (const codec::Json& record : log) dropped += record["dropped"].as_integer();
  return dropped;
}

TEST_F(KeeperLogTest, SaysWhatWasDroppedAlsoWhenTheServiceIsSilent) {
  FH_NEEDS_ROOT();
  // More than a pipe holds: when it has printed all, the keeper has met the end of the disk.
  LaunchSpec spec = shell(
      "wide=$(printf %0150d 0); i=0; while test $i -lt 1000; do echo $i $wide; i=$((i+1)); done; touch full; "
      "read line < gate");
  make_gate(spec);
  chmod(spec.directory.c_str(), 0777);
  spec.temporary = TemporaryFolders::kShared;  // with its own, it could not write beside its program
  SmallDisk disk(spec.log_folder, "size=16k");
  if (!disk.mounted()) GTEST_SKIP() << "tmpfs cannot be mounted here";
  Running running = start(spec);
  EXPECT_TRUE(eventually([&] { return os::system_disk().exists(spec.directory + "/full"); }));
  EXPECT_TRUE(disk.resize("size=4m"));
  EXPECT_TRUE(eventually([&] { return dropped_in(log_of(spec)) > 0; }));
  open_gate(spec);
  EXPECT_EQ(finish(spec, running).code, 0);
  auto log = log_of(spec);
  auto printed = std::ranges::count_if(log, [](const codec::Json& record) { return record["stream"] == "stdout"; });
  EXPECT_EQ(printed + dropped_in(log), 1000) << "each line is there, or told of once";
}

TEST_F(KeeperLogTest, ADiskWithoutRoomForAnotherFileCostsNothingThatWasWritten) {
  FH_NEEDS_ROOT();
  LaunchSpec spec =
      shell("i=0; while test $i -lt 3000; do echo line $i; i=$((i+1)); done; touch full; read line < gate; echo after");
  make_gate(spec);
  chmod(spec.directory.c_str(), 0777);
  spec.log = {Bytes{16 << 10}, 5};
  spec.temporary = TemporaryFolders::kShared;              // with its own, it could not write beside its program
  SmallDisk disk(spec.log_folder, "size=4m,nr_inodes=3");  // the folder and two files
  if (!disk.mounted()) GTEST_SKIP() << "tmpfs cannot be mounted here";
  Running running = start(spec);
  EXPECT_TRUE(eventually([&] { return os::system_disk().exists(spec.directory + "/full"); }));
  auto log = log_of(spec);
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log[0]["line"].as_string(), "line 0");
  EXPECT_TRUE(disk.resize("size=4m,nr_inodes=100"));
  open_gate(spec);
  EXPECT_EQ(finish(spec, running).code, 0);
  log = log_of(spec);
  ASSERT_GT(log.size(), 100u);
  EXPECT_EQ(log[0]["line"].as_string(), "line 0");
  EXPECT_EQ(log.back()["line"].as_string(), "after");
  EXPECT_EQ(static_cast<int64_t>(log.size()) - 2 + dropped_in(log), 3000);
}

TEST_F(KeeperLogTest, StaysBoundedUnderAFlood) {
  // Lines, no line breaks at all, and bytes that take six characters each.
  LaunchSpec spec = shell(
      "head -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 90; head -c 20000000 /dev/zero | tr '\\0' y; "
      "head -c 4000000 /dev/zero; echo; echo last");
  spec.log = {Bytes{1 << 20}, 3};
  run(spec);
  auto files = os::system_disk().list(spec.log_folder);
  ASSERT_EQ(files->size(), 3u);
  constexpr uint64_t kOneRecord = 6 * 16384 + 1024;
  for (const os::FileInfo& file : *files) EXPECT_LE(file.size, (1u << 20) + kOneRecord);
  auto log = log_of(spec);
  EXPECT_EQ(log.back()["line"].as_string(), "last");
  EXPECT_EQ(dropped_in(log), 0);
}

TEST_F(KeeperLogTest, WhatFloodsItWhenTheProgramIsGoneIsStopped) {
  LaunchSpec spec = shell("(trap '' TERM; exec yes flood) & exit 3");
  Running running = start(spec);
  EXPECT_EQ(finish(spec, running).code, 3);
  EXPECT_TRUE(wait_gone(spec));
}

TEST_F(KeeperLogTest, AFullDiskDropsLinesCountsThemAndStopsNothing) {
  FH_NEEDS_ROOT();
  LaunchSpec spec =
      shell("i=0; while test $i -lt 500; do echo line $i; i=$((i+1)); done; touch full; read line < gate; echo after");
  make_gate(spec);
  chmod(spec.directory.c_str(), 0777);
  spec.temporary = TemporaryFolders::kShared;
  SmallDisk disk(spec.log_folder, "size=16k");
  if (!disk.mounted()) GTEST_SKIP() << "tmpfs cannot be mounted here";
  Running running = start(spec);
  EXPECT_TRUE(eventually([&] { return os::system_disk().exists(spec.directory + "/full"); }))
      << "the service must not wait for the disk";
  EXPECT_TRUE(disk.resize("size=4m"));
  open_gate(spec);
  EXPECT_EQ(finish(spec, running).code, 0);
  auto log = log_of(spec);
  int64_t written = 0, dropped = dropped_in(log);
  for (const codec::Json& record : log) {
    if (record["line"].as_string().starts_with("line ")) ++written;
  }
  EXPECT_GT(written, 0);
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(written + dropped, 500);
  EXPECT_EQ(log.back()["line"].as_string(), "after");
}

}  // namespace
}  // namespace freehold::agent
