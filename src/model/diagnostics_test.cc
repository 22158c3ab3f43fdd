#include "model/diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freehold::model {
namespace {

Diagnostic example() {
  return {.file = "freehold.yaml",
          .line = 12,
          .column = 5,
          .length = 8,
          .message = "unknown key 'repilcas'",
          .hints = {"did you mean 'replicas'?"},
          .source = "\t   repilcas: 3\r"};
}

TEST(Diagnostics, ShowTheLineAndACaret) {
  Diagnostics diagnostics;
  diagnostics.add(example());
  EXPECT_EQ(diagnostics.format(Colour::kNever),
            "freehold.yaml:12:5: error: unknown key 'repilcas'\n"
            "   12 |     repilcas: 3\n"
            "      |     ^~~~~~~~\n"
            "      did you mean 'replicas'?\n");
  EXPECT_EQ(diagnostics.errors(), 1u);
}

TEST(Diagnostics, AreColouredOnlyWhenAsked) {
  Diagnostics diagnostics;
  diagnostics.add(example());
  EXPECT_THAT(diagnostics.format(Colour::kAlways), testing::HasSubstr("\033[1;31merror:\033[0m"));
  EXPECT_THAT(diagnostics.format(Colour::kNever), testing::Not(testing::HasSubstr("\033")));
}

TEST(Diagnostics, GiveJson) {
  Diagnostics diagnostics;
  Diagnostic warning = example();
  warning.severity = Severity::kWarning;
  diagnostics.add(warning);
  EXPECT_EQ(diagnostics.to_json().dump(), R"([{"file":"freehold.yaml","line":12,"column":5,"severity":"warning",)"
                                          R"("message":"unknown key 'repilcas'","hint":"did you mean 'replicas'?"}])");
  EXPECT_EQ(diagnostics.errors(), 0u);
}

TEST(Diagnostics, NeverPassOnWhatATerminalObeys) {
  Diagnostics diagnostics;
  Diagnostic hostile = example();
  hostile.file = "a\033[2J.yaml";
  hostile.message = "x\u202Ey\nz";
  hostile.source = "\033]0;title\007 \xff";
  diagnostics.add(hostile);
  std::string said = diagnostics.format(Colour::kNever) + diagnostics.to_json().dump();
  EXPECT_THAT(said, testing::Not(testing::ContainsRegex("[\x01-\x09\x0b-\x1f\x7f]")));
  EXPECT_THAT(said, testing::HasSubstr("x?y z"));
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("\xff")));
}

TEST(Diagnostics, CountWhatTheyDoNotKeep) {
  Diagnostics diagnostics;
  for (size_t i = 0; i < Diagnostics::kMost + 7; ++i) diagnostics.add(example());
  EXPECT_EQ(diagnostics.errors(), Diagnostics::kMost + 7);
  EXPECT_EQ(diagnostics.items().size(), Diagnostics::kMost);
  EXPECT_THAT(diagnostics.format(Colour::kNever), testing::EndsWith("and 7 more\n"));
}

TEST(Diagnostics, PointAtTheEndOfALine) {
  Diagnostics diagnostics;
  Diagnostic end = example();
  end.source = "name:";
  end.column = 6;
  end.length = 1;
  diagnostics.add(end);
  EXPECT_THAT(diagnostics.format(Colour::kNever), testing::HasSubstr("   12 | name:\n      |      ^\n"));
}

TEST(Quote, CutsLongTexts) {
  EXPECT_EQ(quote(std::string(61, 'x')), "'" + std::string(60, 'x') + "...'");
  EXPECT_EQ(quote(std::string(60, 'x')), "'" + std::string(60, 'x') + "'");
  EXPECT_LT(quote(std::string(1 << 20, 'x')).size(), 100u);
}

}  // namespace
}  // namespace freehold::model
