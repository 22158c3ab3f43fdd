#include "cli/columns.h"

#include <gtest/gtest.h>

namespace freehold::cli {
namespace {

TEST(Columns, CountsWhatATerminalShows) {
  EXPECT_EQ(columns_of("café"), 4u);
  EXPECT_EQ(columns_of("\033[32mgood\033[0m"), 4u);
  EXPECT_EQ(columns_of("日本"), 4u);
  EXPECT_EQ(columns_of("e\u0301"), 1u);
  EXPECT_EQ(columns_of("\xff\xfe"), 2u);
}

TEST(Fit, CutsWithDotsAndEndsColours) {
  EXPECT_EQ(fit("short", 5), "short");
  EXPECT_EQ(fit("much longer", 7), "much...");
  EXPECT_EQ(fit("日本語", 5), "日...");
  EXPECT_EQ(fit("\033[31mvery red\033[0m", 6), "\033[31mver...\033[0m");
  EXPECT_EQ(fit("anything", 2), "..");
  EXPECT_EQ(fit("anything", 0), "");
}

}  // namespace
}  // namespace freehold::cli
