// The keeper's log on a disk that fills, and that is let down, at every single change that the keeper makes to it.
//
// The keeper uses the C library alone; for this test its source is compiled with the calls below in their place
// (CMakeLists.txt).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "agent/keeper/log.h"
#include "base/text.h"
#include "codec/json.h"
#include "os/fault_file.h"

namespace freehold::agent {
namespace {

constexpr int kFolder = 1;
const std::string kPath = "/logs";

// What stands behind the calls: one disk, and the one file that a log has open.
os::FaultDisk* current_disk = nullptr;
std::unique_ptr<os::FaultFile> current_file;

std::string path_of(const char* name) { return kPath + "/" + name; }

int answer(const Result<void>& result) {
  if (result) return 0;
  const ErrorCode code = result.error().code();
  errno = code == ErrorCode::kExhausted ? ENOSPC : code == ErrorCode::kNotFound ? ENOENT : EIO;
  return -1;
}

}  // namespace
}  // namespace freehold::agent

using freehold::agent::answer;
using freehold::agent::current_disk;
using freehold::agent::current_file;
using freehold::agent::path_of;

extern "C" {

int faulty_openat(int, const char* name, int, ...) {
  auto file = current_disk->open_anywhere(path_of(name), 0640);
  if (!file) return answer(file.error());
  current_file = *std::move(file);
  return 0;
}

int faulty_close(int) {
  current_file.reset();
  return 0;
}

ssize_t faulty_write(int, const void* bytes, size_t count) {
  uint64_t size = current_file->size();
  freehold::Result<void> written = current_file->write(size, {static_cast<const char*>(bytes), count});
  uint64_t grown = current_file->size() - size;
  return grown > 0 ? static_cast<ssize_t>(grown) : answer(written);
}

ssize_t faulty_pread(int, void* to, size_t count, off_t offset) {
  std::string bytes = current_file->read(static_cast<uint64_t>(offset), count);
  bytes.copy(static_cast<char*>(to), bytes.size());
  return static_cast<ssize_t>(bytes.size());
}

int faulty_fstat(int, struct stat* status) {
  status->st_size = static_cast<off_t>(current_file->size());
  return 0;
}

int faulty_ftruncate(int, off_t size) { return answer(current_file->truncate(static_cast<uint64_t>(size))); }

int faulty_renameat(int, const char* from, int, const char* to) {
  return answer(current_disk->rename(path_of(from), path_of(to)));
}

int faulty_unlinkat(int, const char* name, int) { return answer(current_disk->remove(path_of(name))); }
}

namespace freehold::agent {
namespace {

// Numbered lines through one keeper after another, and what the files say of them.
class Logging {
 public:
  Logging() {
    current_disk = &disk;
    EXPECT_TRUE(disk.make_directories(kPath, 0750).ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
    EXPECT_TRUE(disk.sync_directory(kPath).ok());
  }
  ~Logging() { stop(); }

  // So many files that none is forgotten, so small that they are rotated often.
  void start() {
    log_ = std::make_unique<keeper::Log>();
    log_->open(kFolder, "web.1.log", "web", "web.1", {4096, 14, 0});
  }
  void stop() {
    log_.reset();
    current_file.reset();
  }
  void add(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ++added;
      std::string line = "line " + std::to_string(added) + " " + std::string(added * 977 % 1900, 'x');
      log_->add("stdout", line.data(), line.size(), false);
      if (added % 2 == 0) flush();
    }
    flush();
  }
  void flush() {
    log_->flush();
    log_->tell_dropped();
    if (!disk.crashed()) flushed = added;
  }

  void read() {
    lines.clear();
    dropped = broken = 0;
    for (uint64_t number = 20; number-- > 0;) {
      auto text = disk.read(kPath + "/web.1.log" + (number == 0 ? "" : "." + std::to_string(number)), Bytes{1 << 20});
      if (!text) continue;
      EXPECT_LE(text->size(), 4096u + 64) << "a file passes its bound";
      for (std::string_view line : split(*text, '\n')) take(line);
    }
  }

  os::FaultDisk disk;
  uint64_t added = 0;
  uint64_t flushed = 0;         // up to this line the kernel has all that the log could write
  std::vector<uint64_t> lines;  // the numbers in the files, in order
  uint64_t dropped = 0;         // as the files say
  uint64_t broken = 0;          // records that are none

 private:
  void take(std::string_view line) {
    if (line.empty()) return;
    auto json = codec::Json::parse(line, {1 << 20, 4});
    if (!json) {
      ++broken;
    } else if ((*json)["stream"].as_string() == "keeper") {
      dropped += static_cast<uint64_t>((*json)["dropped"].as_integer());
    } else {
      lines.push_back(std::stoull(std::string((*json)["line"].as_string().substr(5))));
    }
  }

  std::unique_ptr<keeper::Log> log_;
};

void expect_in_order(const Logging& logging) {
  for (size_t i = 1; i < logging.lines.size(); ++i) {
    ASSERT_LT(logging.lines[i - 1], logging.lines[i]) << "out of order, or twice";
  }
}

TEST(KeeperLogAge, PutsAFileAwayWhenItsFirstLineIsTooOld) {
  Logging logging;
  auto line_at = [](keeper::Log& log, time_t seconds, const std::string& text) {
    log.set_time({seconds, 0});
    log.add("stdout", text.data(), text.size(), false);
    log.flush();
  };
  auto bytes = [&](const char* name) { return logging.disk.read(path_of(name), Bytes{1 << 20}).value_or(""); };
  constexpr time_t kStart = 1'800'000'000;
  for (time_t later : {0, 200, 299, 301, 400}) {  // one keeper after another
    auto log = std::make_unique<keeper::Log>();
    log->open(kFolder, "web.1.log", "web", "web.1", {1 << 20, 3, 300});
    line_at(*log, kStart + later, "after " + std::to_string(later));
    current_file.reset();
  }
  EXPECT_NE(bytes("web.1.log.1").find("after 299"), std::string::npos);
  EXPECT_EQ(bytes("web.1.log.1").find("after 301"), std::string::npos);
  EXPECT_EQ(bytes("web.1.log").find("after 299"), std::string::npos);
  EXPECT_NE(bytes("web.1.log").find("after 400"), std::string::npos);
}

TEST(KeeperLogPower, CountsEveryLineThatAFullDiskTookAndGoesOn) {
  bool reached = true;
  for (uint64_t change = 1; reached; ++change) {
    SCOPED_TRACE(testing::Message() << "disk full at change " << change);
    Logging logging;
    logging.disk.fill_at(logging.disk.changes() + change);
    logging.start();
    logging.add(20);
    reached = logging.disk.filled();
    logging.disk.make_room();
    logging.add(6);
    logging.read();
    ASSERT_EQ(logging.broken, 0u) << "half of a record";
    ASSERT_EQ(logging.lines.size() + logging.dropped, logging.added) << "lines are missing that nobody tells of";
    ASSERT_EQ(logging.lines.back(), logging.added);
    expect_in_order(logging);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(KeeperLogPower, KeepsWhatWasWrittenWhenTheKeeperIsKilled) {
  bool reached = true;
  for (uint64_t change = 1; reached; ++change) {
    SCOPED_TRACE(testing::Message() << "killed at change " << change);
    Logging logging;
    logging.disk.crash_at(logging.disk.changes() + change);
    logging.start();
    logging.add(20);
    reached = logging.disk.crashed();
    logging.stop();
    uint64_t safe = logging.flushed;
    logging.disk.start_again();
    logging.start();
    logging.add(6);
    logging.read();
    ASSERT_LE(logging.broken, 1u) << "the record that was being written";
    ASSERT_EQ(logging.dropped, 0u);
    ASSERT_GE(logging.lines.size(), safe + 6);
    for (uint64_t line = 1; line <= safe; ++line) ASSERT_EQ(logging.lines[line - 1], line);
    expect_in_order(logging);
    if (testing::Test::HasFailure()) return;
  }
}

// Nothing of a log is synced: a power cut may take any of it. What is left is read, and the next keeper goes on.
TEST(KeeperLogPower, IsReadableAndGoesOnWhereverThePowerIsCut) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    bool reached = true;
    for (uint64_t change = 1; reached; ++change) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", power cut at change " << change);
      os::SeededRandom random(seed * 1'000'003 + change);
      Logging logging;
      logging.disk.crash_at(logging.disk.changes() + change);
      logging.start();
      logging.add(20);
      reached = logging.disk.crashed();
      logging.stop();
      logging.disk.power_cut(seed == 0 ? nullptr : &random);
      uint64_t before = logging.added;
      logging.start();
      logging.add(6);
      logging.read();
      ASSERT_EQ(logging.dropped, 0u);
      ASSERT_GE(logging.lines.size(), 6u);
      for (uint64_t i = 0; i < 6; ++i) ASSERT_EQ(logging.lines[logging.lines.size() - 6 + i], before + 1 + i);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace freehold::agent
