#include "cli/line_diff.h"

#include <gtest/gtest.h>

namespace freehold::cli {
namespace {

TEST(LineDiff, OfEqualTextsIsEmpty) { EXPECT_EQ(line_diff("f", "a\n", "a\n"), ""); }

TEST(LineDiff, ShowsThreeLinesAroundAChange) {
  EXPECT_EQ(line_diff("f", "1\n2\n3\n4\n x\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n"),
            "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n- x\n+x\n 6\n 7\n 8\n");
}

TEST(LineDiff, JoinsChangesThatAreNear) {
  EXPECT_EQ(line_diff("f", " a\nb\n c\n", "a\nb\nc\n"), "--- f\n+++ f\n@@ -1,3 +1,3 @@\n- a\n+a\n b\n- c\n+c\n");
  EXPECT_EQ(line_diff("f", " a\n b\n", "a\nb\n"), "--- f\n+++ f\n@@ -1,2 +1,2 @@\n- a\n- b\n+a\n+b\n");
}

TEST(LineDiff, SplitsChangesThatAreFar) {
  EXPECT_EQ(line_diff("f", " a\n1\n2\n3\n4\n5\n6\n7\n b\n", "a\n1\n2\n3\n4\n5\n6\n7\nb\n"),
            "--- f\n+++ f\n@@ -1,4 +1,4 @@\n- a\n+a\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n- b\n+b\n");
}

TEST(LineDiff, TheEndOfTheFile) {
  EXPECT_EQ(line_diff("f", "a\n\n\n", "a\n"), "--- f\n+++ f\n@@ -1,3 +1,1 @@\n a\n-\n-\n");
  EXPECT_EQ(line_diff("f", "a", "a\n"), "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

}  // namespace
}  // namespace freehold::cli
