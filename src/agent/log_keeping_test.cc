#include "agent/log_keeping.h"

#include <gmock/gmock.h>

#include "os/fault_disk.h"

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class LogKeepingTest : public testing::Test {
 protected:
  LogKeepingTest() { EXPECT_TRUE(disk_.make_directories("/s/logs", 0750).ok()); }

  // A file whose last line was written `ago`, of lines of ten bytes.
  void file(const std::string& path, Duration ago, uint64_t lines) {
    std::string folder = os::parent_path("/s/logs/" + path);
    ASSERT_TRUE(disk_.make_directories(folder, 0750).ok());
    disk_.set_time(clock_.wall().time_since_epoch() - ago);
    auto written = *disk_.open_append("/s/logs/" + path, 0640);
    for (uint64_t i = 0; i < lines; ++i) ASSERT_TRUE(written->append("a line ...\n").ok());
  }
  std::vector<std::string> left() {
    std::vector<std::string> out;
    auto folders = disk_.list("/s/logs");
    for (const os::FileInfo& folder : *folders) {
      auto files = disk_.list("/s/logs/" + folder.name);
      for (const os::FileInfo& each : *files) out.push_back(each.name);
    }
    return out;
  }
  LogKeeping::Swept sweep(const model::Keep& keep, const std::set<std::string>& instances = {"web.2"}) {
    auto swept = keeping_.sweep(keep, instances);
    EXPECT_TRUE(swept.ok()) << (swept ? "" : swept.error().message());
    return swept ? *swept : LogKeeping::Swept{};
  }

  os::FaultDisk disk_;
  os::FakeClock clock_;
  LogKeeping keeping_{disk_, clock_, model::Layout{"/s"}};
};

TEST_F(LogKeepingTest, RemovesTheOldestOfAllWhenTheyAreTooLarge) {
  file("web/web.1.log", 5h, 100);
  file("web/web.2.log.2", 4h, 100);
  file("freehold.gateway/access.0.log.1", 3h, 100);
  file("web/web.2.log.1", 2h, 100);
  file("web/web.2.log", 1h, 100);
  EXPECT_EQ(sweep({.size = Bytes{10'000}}).files, 0u);
  LogKeeping::Swept swept = sweep({.size = Bytes{2'500}});
  EXPECT_EQ(swept.files, 3u) << "an instance that is gone, too";
  EXPECT_EQ(swept.bytes.count, 3'300u);
  EXPECT_EQ(swept.left.count, 2'200u);
  EXPECT_THAT(left(), ElementsAre("web.2.log", "web.2.log.1"));
}

TEST_F(LogKeepingTest, RemovesWhatIsTooOld) {
  file("web/web.1.log", 31 * 24h, 10);
  file("web/web.2.log.1", 29 * 24h, 10);
  file("web/web.2.log", 40 * 24h, 10);
  sweep({.age = 30 * 24h});
  EXPECT_THAT(left(), ElementsAre("web.2.log", "web.2.log.1")) << "not what is written to";
  sweep({.age = 30 * 24h}, {});
  EXPECT_THAT(left(), ElementsAre("web.2.log.1"));
}

TEST_F(LogKeepingTest, CountsLinesAcrossAllFiles) {
  file("web/web.1.log", 5h, 40);
  file("web/web.2.log.1", 3h, 40);
  file("web/web.2.log", 1h, 40);
  sweep({.count = 120});
  EXPECT_EQ(left().size(), 3u);
  file("web/web.2.log", 1h, 10);
  sweep({.count = 120});
  EXPECT_THAT(left(), ElementsAre("web.2.log", "web.2.log.1"));
}

TEST_F(LogKeepingTest, CountsMuchInSeveralSweeps) {
  file("web/web.1.log", 5h, 10);
  std::string much(8 << 20, '\n');
  for (int i = 1; i <= 10; ++i) {
    auto written = *disk_.create("/s/logs/web/web.2.log." + std::to_string(i), 0640);
    ASSERT_TRUE(written->append(much).ok());
  }
  sweep({.count = 75 << 20});
  EXPECT_EQ(left().size(), 11u) << "not all is counted yet";
  sweep({.count = 75 << 20});
  EXPECT_EQ(left().size(), 10u);
  EXPECT_FALSE(disk_.exists("/s/logs/web/web.2.log.10"));
}

TEST_F(LogKeepingTest, IsBoundedWhenNothingIsSaidAndLeavesOtherFilesAlone) {
  file("web/web.1.log", 5h, 10);
  file("web/notes.txt", 5h, 10);
  file("web/web.1.log.old", 5h, 10);
  EXPECT_EQ(sweep({}).files, 0u);
  sweep({.size = Bytes{1}});
  EXPECT_THAT(left(), ElementsAre("notes.txt", "web.1.log.old"));
}

TEST_F(LogKeepingTest, GoesOnWithTheOthersWhenOneCannotBeRemoved) {
  file("web/web.1.log", 5h, 10);
  file("web/web.3.log", 4h, 10);
  disk_.fail_at(disk_.changes() + 1, Error(ErrorCode::kDenied, "not this one"));
  EXPECT_FALSE(keeping_.sweep({.age = 1h}, {}).ok());
  EXPECT_THAT(left(), ElementsAre("web.1.log"));
  sweep({.age = 1h});
  EXPECT_THAT(left(), IsEmpty());
}

}  // namespace
}  // namespace freehold::agent
