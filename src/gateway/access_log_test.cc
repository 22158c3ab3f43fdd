#include "gateway/access_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "codec/json.h"
#include "gateway/test_support.h"

namespace freehold::gateway::test {
namespace {

class AccessLogTest : public testing::Test {
 protected:
  // Numbered lines of about 200 bytes.
  void write(AccessLog& log, int count, WallTime wall = {}) {
    for (int i = 0; i < count; ++i) {
      RequestRecord record;
      record.method_text = "GET";
      record.path = "/" + std::to_string(written_++);
      record.status = 200;
      log.write(record, "127.0.0.1", wall, {});
    }
  }
  std::vector<int> lines(const std::string& path) {
    std::vector<int> out;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      auto json = codec::Json::parse(line);
      if (!json) ADD_FAILURE() << line;
      out.push_back(std::atoi((*json)["path"].as_string().c_str() + 1));
    }
    return out;
  }

  std::unique_ptr<runtime::Loop> loop_ = *runtime::Loop::create(runtime::Backend::kEpoll);
  Counters counters_;
  std::string path_ = folder() + "/access.log";
  int written_ = 0;
};

TEST_F(AccessLogTest, IsBoundedAndLosesNoLineWhileItRotates) {
  constexpr uint64_t kFileBytes = 8192;
  AccessLog::Options options{.path = path_, .batch_bytes = 1000, .files = {Bytes{kFileBytes}, 3, {}}};
  for (int start = 0; start < 3; ++start) {  // and goes on with the file that it finds
    AccessLog log(*loop_, counters_, options);
    write(log, 300);
  }
  int next = written_;
  for (const std::string& file : {path_, path_ + ".1", path_ + ".2"}) {
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0) << file;
    EXPECT_LE(static_cast<uint64_t>(status.st_size), kFileBytes) << file;
    const std::vector<int> numbers = lines(file);
    ASSERT_FALSE(numbers.empty()) << file;
    for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) EXPECT_EQ(*number, --next) << file;
  }
  EXPECT_NE(::access((path_ + ".3").c_str(), F_OK), 0);
  EXPECT_EQ(counters_.log_dropped.get(), 0U);
}

TEST_F(AccessLogTest, PutsAFileAwayWhenItsFirstLineIsTooOld) {
  using namespace std::chrono_literals;
  const WallTime start = WallTime() + 480000h;
  for (const Duration later : {0min, 4min, 6min, 8min}) {  // one gateway after another
    AccessLog log(*loop_, counters_, {.path = path_, .files = {Bytes{1 << 20}, 3, 5min}});
    write(log, 1, start + later);
  }
  EXPECT_EQ(lines(path_ + ".1"), (std::vector<int>{0, 1}));
  EXPECT_EQ(lines(path_), (std::vector<int>{2, 3}));
  AccessLog log(*loop_, counters_, {.path = path_});
  write(log, 1, start + 48h);
  log.flush();
  EXPECT_EQ(lines(path_), (std::vector<int>{2, 3, 4})) << "only if that is asked for";
  log.bound({Bytes{1 << 20}, 3, 5min});
  write(log, 1, start + 49h);
  log.flush();
  EXPECT_EQ(lines(path_), (std::vector<int>{5})) << "also of one that is open";
}

TEST_F(AccessLogTest, CountsWhatItCannotWriteAndGoesOnWhenItCan) {
  ASSERT_EQ(::mkdir(path_.c_str(), 0700), 0);
  AccessLog log(*loop_, counters_, {.path = path_});
  write(log, 3);
  log.flush();
  EXPECT_EQ(counters_.log_dropped.get(), 3U);
  ASSERT_EQ(::rmdir(path_.c_str()), 0);
  write(log, 2);
  log.flush();
  EXPECT_EQ(lines(path_), (std::vector<int>{3, 4}));
}

}  // namespace
}  // namespace freehold::gateway::test
