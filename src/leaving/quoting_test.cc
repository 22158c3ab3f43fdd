#include "leaving/quoting.h"

#include <gtest/gtest.h>

namespace freehold::leaving {
namespace {

TEST(Quoting, OfUnitsKeepsWhatSystemdWouldReplace) {
  EXPECT_EQ(unit_text("50% of $x"), "50%% of $x");
  EXPECT_EQ(command_text("50% of $x"), "50%% of $$x");
  EXPECT_EQ(unit_text("a\"b\\c\nd\te\x01"), "a\\\"b\\\\c\\nd\\te\\x01");
  EXPECT_EQ(unit_text("Größe"), "Größe");
}

TEST(Quoting, PutsQuotesOnlyWhereTheyAreNeeded) {
  EXPECT_EQ(quoted("--port=%i"), "--port=%i");
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("a b"), "\"a b\"");
  EXPECT_EQ(quoted(";"), "\";\"") << "alone it would begin another command";
}

TEST(Quoting, OfEnvironmentFilesIsWhatAShellWouldRead) {
  EXPECT_EQ(environment_value("a\"b\\c`d$e\nf"), "\"a\\\"b\\\\c\\`d\\$e\nf\"");
}

TEST(Quoting, OfNginxAndItsExpressions) {
  EXPECT_EQ(nginx_text("/a\"b"), "\"/a\\\"b\"");
  EXPECT_EQ(regex_text("/a.b+c"), "/a\\x2eb\\x2bc");
}

}  // namespace
}  // namespace freehold::leaving
