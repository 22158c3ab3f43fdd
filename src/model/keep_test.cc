#include "model/keep.h"

#include <gtest/gtest.h>

namespace freehold::model {
namespace {

using namespace std::chrono_literals;

const LogFiles kUsual{Bytes{10 << 20}, 5, {}};

TEST(LogFilesOf, IsAsUsualIfTheFileSaysNothing) { EXPECT_EQ(log_files({}, kUsual), kUsual); }

TEST(LogFilesOf, AreSmallPartsOfWhatIsKeptAndTogetherNoMoreThanIt) {
  for (uint64_t size = kLeastLogSize.count; size <= (1ULL << 40); size *= 2) {
    LogFiles files = log_files({.size = Bytes{size}}, kUsual);
    EXPECT_LE(files.file.count * files.most, size) << size;
    EXPECT_LE(files.file.count * 16, size) << size;
    EXPECT_LE(files.file.count, kUsual.file.count) << size;
    EXPECT_LE(files.most, 1000u) << size;
  }
  EXPECT_EQ(log_files({.size = Bytes{10ULL << 30}}, kUsual).most, 1000u) << "as many as a keeper takes";
}

TEST(LogFilesOf, ArePutAwayByAgeAndAreSmallForFewLines) {
  EXPECT_EQ(log_files({.age = 32min}, kUsual).age, 2min);
  EXPECT_EQ(log_files({.age = 32min}, kUsual).file, kUsual.file) << "2 GiB hold as well";
  EXPECT_EQ(log_files({.count = 1000}, kUsual).file.count, 64u << 10);
  EXPECT_GT(log_files({.count = 1'000'000}, kUsual).file.count, 1u << 20);
}

}  // namespace
}  // namespace freehold::model
