#include "logs/log_reader.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>

#include "logs/log_files.h"

namespace freehold::logs {
namespace {

using namespace std::chrono_literals;

class LogReaderTest : public testing::Test {
 protected:
  LogReaderTest() : folder_(make_folder()), reader_(os::system_disk(), folder_) {}
  ~LogReaderTest() override { (void)os::system_disk().remove_tree(folder_).ok(); }
  static std::string make_folder() {
    char name[] = "/tmp/freehold-logs-XXXXXX";
    return mkdtemp(name);
  }
  static WallTime at(int second) { return *parse_time("2026-03-01T12:00:00Z") + std::chrono::seconds(second); }
  static std::string record(int second, const std::string& instance, const std::string& line) {
    return fmt::format(R"({{"time":"{}","service":"web","instance":"{}","stream":"stdout","line":"{}"}})",
                       format_time(at(second)), instance, line) +
           "\n";
  }
  void append(const std::string& file, const std::string& text) {
    std::ofstream(folder_ + "/" + file, std::ios::app) << text;
  }
  void add(const std::string& instance, int second, const std::string& line) {
    append(instance + ".log", record(second, instance, line));
  }
  void rotate(const std::string& instance, int files) {
    for (int number = files - 1; number > 0; --number) {
      std::string from = number == 1 ? ".log" : fmt::format(".log.{}", number - 1);
      (void)rename((folder_ + "/" + instance + from).c_str(),
                   fmt::format("{}/{}.log.{}", folder_, instance, number).c_str());
    }
  }
  static std::string lines(const Result<std::vector<LogEntry>>& batch) {
    if (!batch) return batch.error().message();
    std::string out;
    for (const LogEntry& entry : *batch) out += entry.line + " ";
    return out;
  }
  std::string all(Cursor&& cursor) { return all(cursor); }
  std::string all(Cursor& cursor, size_t batch = 100) {
    std::string out;
    for (;;) {
      std::string more = lines(reader_.next(cursor, batch));
      if (more.empty()) return out;
      out += more;
    }
  }

  std::string folder_;
  LogReader reader_;
};

TEST_F(LogReaderTest, MergesInstancesByTime) {
  add("web.1", 1, "a");
  add("web.2", 2, "b");
  add("web.1", 3, "c");
  add("web.1", 3, "d");
  add("web.2", 4, "e");
  for (size_t batch : {1, 2, 100}) {
    auto cursor = reader_.start({});
    EXPECT_EQ(all(*cursor, batch), "a b c d e ");
  }
  auto one = reader_.start({.since = {}, .last = {}, .instances = {"web.2"}});
  EXPECT_EQ(all(*one), "b e ");
}

TEST_F(LogReaderTest, ReadsRotatedFilesOldestFirst) {
  add("web.1", 1, "a");
  rotate("web.1", 3);
  add("web.1", 2, "b");
  rotate("web.1", 3);
  add("web.1", 3, "c");
  append("web.1.log.x", record(0, "web.1", "other"));
  append("web.1.log.0", record(0, "web.1", "other"));
  auto cursor = reader_.start({});
  EXPECT_EQ(all(*cursor, 2), "a b c ");
}

TEST_F(LogReaderTest, FollowsThroughRotations) {
  auto cursor = reader_.start({});
  EXPECT_EQ(all(*cursor), "");
  add("web.1", 1, "a");
  EXPECT_EQ(all(*cursor), "a ");
  add("web.1", 2, "b");
  rotate("web.1", 3);
  add("web.1", 3, "c");
  add("web.2", 4, "new");
  EXPECT_EQ(all(*cursor), "b c new ");
  EXPECT_EQ(all(*cursor), "");
  add("web.1", 5, "d");
  EXPECT_EQ(all(*cursor), "d ");
  EXPECT_EQ(cursor->lost_files, 0u);
}

TEST_F(LogReaderTest, CountsWhatWasRotatedAwayUnread) {
  add("web.1", 1, "a");
  auto cursor = reader_.start({});
  EXPECT_EQ(all(*cursor), "a ");
  add("web.1", 2, "lost");
  append("keep", "");  // its inode must not be given to the next file
  rename((folder_ + "/web.1.log").c_str(), (folder_ + "/elsewhere").c_str());
  add("web.1", 3, "b");
  EXPECT_EQ(all(*cursor), "b ");
  EXPECT_EQ(cursor->lost_files, 1u);
}

TEST_F(LogReaderTest, WaitsForTheRestOfALine) {
  std::string whole = record(1, "web.1", "a");
  append("web.1.log", whole.substr(0, 20));
  auto cursor = reader_.start({});
  EXPECT_EQ(all(*cursor), "");
  append("web.1.log", whole.substr(20));
  EXPECT_EQ(all(*cursor), "a ");
}

TEST_F(LogReaderTest, GivesTheLastLinesOfTheService) {
  for (int i = 0; i < 40; ++i) {
    add(i % 2 ? "web.1" : "web.2", i, fmt::format("{}", i));
    if (i % 7 == 0) rotate("web.1", 9);
  }
  EXPECT_EQ(all(*reader_.start({.since = {}, .last = 3, .instances = {}})), "37 38 39 ");
  auto none = reader_.start({.since = {}, .last = 0, .instances = {}});
  EXPECT_EQ(all(*none), "");
  add("web.1", 41, "new");
  EXPECT_EQ(all(*none), "new ");
  std::string everything = all(*reader_.start({.since = {}, .last = 1000, .instances = {}}));
  EXPECT_EQ(everything.substr(0, 6), "0 1 2 ");
}

TEST_F(LogReaderTest, FindsTheLastLinesOfALargeLog) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += record(i, "web.1", fmt::format("{} {}", i, std::string(100, 'x')));
  append("web.1.log", text);
  for (uint64_t last : {1, 2, 500, 1000, 4999, 5000}) {
    auto cursor = reader_.start({.since = {}, .last = last, .instances = {}});
    auto batch = reader_.next(*cursor, 10000);
    ASSERT_EQ(batch->size(), last);
    EXPECT_EQ(batch->front().time, at(static_cast<int>(5000 - last)));
  }
}

TEST_F(LogReaderTest, StartsAtAMoment) {
  for (int i = 0; i < 10; ++i) add("web.1", i, fmt::format("{}", i));
  EXPECT_EQ(all(*reader_.start({.since = at(7), .last = {}, .instances = {}})), "7 8 9 ");
  auto cursor = reader_.start({.since = at(1000000000), .last = {}, .instances = {}});
  EXPECT_EQ(all(*cursor), "");
}

TEST_F(LogReaderTest, PassesOverWhatIsNoRecordOnce) {
  add("web.1", 1, "a");
  append("web.1.log", "{\"time\":\"20\nnot json\n" + std::string(3 << 20, 'y') + "\n");
  auto cursor = reader_.start({});
  EXPECT_EQ(all(*cursor), "a ");
  uint64_t malformed = cursor->malformed_lines;
  EXPECT_GE(malformed, 3u);
  EXPECT_EQ(all(*cursor), "");
  EXPECT_EQ(cursor->malformed_lines, malformed);
  add("web.1", 2, "b");
  EXPECT_EQ(all(*cursor), "b ");
}

TEST_F(LogReaderTest, KeepsMarksOfLongAndDroppedLines) {
  append(
      "web.1.log",
      R"({"time":"2026-03-01T12:00:00.250Z","service":"web","instance":"web.1","stream":"stderr","continued":true,"line":"x"})"
      "\n"
      R"({"time":"2026-03-01T12:00:00.250Z","service":"web","instance":"web.1","stream":"keeper","dropped":7,"line":"y"})"
      "\n");
  auto cursor = reader_.start({});
  auto batch = reader_.next(*cursor, 10);
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_TRUE((*batch)[0].continued);
  EXPECT_EQ((*batch)[0].stream, "stderr");
  EXPECT_EQ((*batch)[1].dropped, 7u);
}

TEST_F(LogReaderTest, AServiceWithoutLogsIsNoError) {
  LogReader none(os::system_disk(), folder_ + "/none");
  auto cursor = none.start({.since = {}, .last = 10, .instances = {}});
  ASSERT_TRUE(cursor.ok());
  EXPECT_EQ(lines(none.next(*cursor, 10)), "");
}

TEST_F(LogReaderTest, SurvivesAFileThatBecameShorter) {
  add("web.1", 1, "a");
  auto cursor = reader_.start({});
  EXPECT_EQ(all(*cursor), "a ");
  std::ofstream emptied(folder_ + "/web.1.log", std::ios::trunc);
  EXPECT_EQ(all(*cursor), "");
  add("web.1", 2, "b");
  EXPECT_TRUE(reader_.next(*cursor, 10).ok());
}

}  // namespace
}  // namespace freehold::logs
