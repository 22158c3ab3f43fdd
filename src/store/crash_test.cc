// What SQLite's settings promise, tried: a process killed while it writes, and a disk that is full.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "os/fd.h"
#include "store/sqlite_store.h"

namespace freehold::store {
namespace {

class StoreCrashTest : public testing::Test {
 protected:
  StoreCrashTest() {
    char name[] = "/tmp/freehold-crash-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/state.db";
  }
  ~StoreCrashTest() override { (void)os::system_disk().remove_tree(folder_).ok(); }

  std::string folder_;
  std::string path_;
};

// Writes pairs of entries for ever, saying the number of each on the pipe once it is committed.
[[noreturn]] void write_until_killed(const std::string& path, int pipe, uint64_t number) {
  auto store = open_sqlite_store(os::system_disk(), path, {.deletions = 20});
  if (!store) _exit(1);
  for (;; ++number) {
    std::string text = std::to_string(number);
    Write write;
    write.put("left/" + text, text).put("right/" + text, std::string(1 + number % 9000, 'x')).put("newest", text);
    if (number > 50) write.remove("right/" + std::to_string(number - 50));
    if (!(*store)->commit(write)) _exit(2);
    if (::write(pipe, &number, sizeof number) != sizeof number) _exit(3);
  }
}

// Reads acknowledgements until the pipe ends; gives the last.
uint64_t drain(int pipe, uint64_t last) {
  uint64_t number = 0;
  while (::read(pipe, &number, sizeof number) == sizeof number) last = number;
  return last;
}

TEST_F(StoreCrashTest, LosesNothingAcknowledgedWhenKilledAtAnyMoment) {
  uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  uint64_t acknowledged = 0;
  for (int round = 0; round < 15; ++round) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    os::Fd reader(ends[0]);
    os::Fd writer(ends[1]);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(path_, writer.get(), acknowledged + 1);
    writer.reset();
    uint64_t target = acknowledged + 1 + random() % 30;
    uint64_t number = acknowledged;
    while (number < target && ::read(reader.get(), &number, sizeof number) == sizeof number) continue;
    // Some way into the next commit: not a wait for anything, only a moment that differs.
    for (uint32_t spin = random() % 2'000'000; spin > 0; --spin) asm volatile("");
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    acknowledged = drain(reader.get(), number);

    auto store = open_sqlite_store(os::system_disk(), path_, {.deletions = 20});
    ASSERT_TRUE(store.ok()) << store.error().message();
    auto last = (*store)->get("newest");
    ASSERT_TRUE(last.ok()) << last.error().message();
    uint64_t newest = std::stoull(last->value);
    // The last commit may have been done without its acknowledgement having been said.
    ASSERT_GE(newest, acknowledged);
    ASSERT_LE(newest, acknowledged + 1);
    ASSERT_EQ((*store)->revision()->value, newest);
    auto left = (*store)->list("left/", 100'000);
    ASSERT_EQ(left->entries.size(), newest);
    for (const Entry& entry : left->entries) {
      uint64_t at = std::stoull(entry.value);
      auto right = (*store)->get("right/" + entry.value);
      ASSERT_EQ(right.ok(), at + 50 > newest) << "a write came or went by halves at " << at;
      if (right) {
        ASSERT_EQ(right->value.size(), 1 + at % 9000);
      }
    }
    acknowledged = newest;
  }
}

// What fills the store until it refuses, and then checks it. Empty if all was well, else what was not.
std::string fill(const std::string& path, uint64_t most_pages) {
  uint64_t number = 0;
  {
    auto store = open_sqlite_store(os::system_disk(), path, {.most_pages = most_pages});
    if (!store) return store.error().message();
    for (;; ++number) {
      Write write;
      write.put("small/" + std::to_string(number), "x")
          .put("large/" + std::to_string(number), std::string(20'000, 'x'));
      auto written = (*store)->commit(write);
      if (written) continue;
      if (written.error().code() != ErrorCode::kExhausted) return "refused otherwise: " + written.error().message();
      if (written.error().message().find("free space") == std::string::npos) return written.error().message();
      break;
    }
    if (number < 5) return "full too early";
    if ((*store)->revision()->value != number) return "the refused write moved the revision";
    if ((*store)->list("small/", 10'000)->entries.size() != number) return "the refused write left something";
  }
  auto again = open_sqlite_store(os::system_disk(), path, {.most_pages = most_pages});
  if (!again) return "does not open again: " + again.error().message();
  if ((*again)->list("large/", 10'000)->entries.size() != number) return "something acknowledged was lost";
  return {};
}

TEST_F(StoreCrashTest, RefusesAWriteWhenItsFileMayNotGrowAndKeepsTheRest) { EXPECT_EQ(fill(path_, 100), ""); }

TEST_F(StoreCrashTest, RefusesAWriteOnAFullDiskAndKeepsTheRest) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  os::Fd reader(ends[0]);
  os::Fd writer(ends[1]);
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A mount namespace of its own: the file system goes with the process.
    bool mounted = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                   mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=2m") == 0;
    std::string problem = mounted ? fill(path_, 0) : "cannot mount";
    (void)!::write(writer.get(), problem.data(), problem.size());
    _exit(0);
  }
  writer.reset();
  std::string problem(1000, '\0');
  ssize_t length = ::read(reader.get(), problem.data(), problem.size());
  problem.resize(static_cast<size_t>(std::max<ssize_t>(length, 0)));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  if (problem == "cannot mount") GTEST_SKIP() << "this root may not mount a tmpfs";
  EXPECT_EQ(problem, "");
}

}  // namespace
}  // namespace freehold::store
