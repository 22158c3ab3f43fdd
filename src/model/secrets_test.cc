#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/file.h"

namespace freehold::model {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Secrets, AreTextsWhateverTheyLookLike) {
  ParsedSecrets secrets = parse_secrets("s.yaml", "a: 5\nb: \"x y\"\nc: no\nd-e: |\n  two\n  lines\n");
  EXPECT_EQ(secrets.diagnostics.errors(), 0u);
  EXPECT_THAT(secrets.values,
              UnorderedElementsAre(Pair("a", "5"), Pair("b", "x y"), Pair("c", "no"), Pair("d-e", "two\nlines\n")));
}

TEST(Secrets, MayBeNone) {
  ParsedSecrets secrets = parse_secrets("s.yaml", "# nothing yet\n");
  EXPECT_TRUE(secrets.diagnostics.empty());
  EXPECT_TRUE(secrets.values.empty());
}

// Each text is wrong in its own way; zq9 stands wherever a value could be.
TEST(Secrets, AreNeverShown) {
  for (const char* text : {"zq9",
                           "- zq9",
                           "a: [zq9]",
                           "a: {b: zq9}",
                           "zq9!: a",
                           "zq9 zq9: a",
                           "a: zq9\na: zq9",
                           "a: !zq9 b",
                           "a: *zq9",
                           "a: &zq9 b",
                           "a: 'zq9",
                           "a: @zq9",
                           "a: \"zq9\\q\"",
                           "a: zq9: b",
                           "a: zq9\n\tb: zq9",
                           "a: |\n zq9\n\tzq9: [",
                           "a: \"zq9\\0\"",
                           "a: zq9\n---\nb: zq9",
                           "zq9:",
                           "a: \"zq9\xff\"",
                           "a: zq9\n b\nc"}) {
    ParsedSecrets secrets = parse_secrets("s.yaml", text);
    EXPECT_GT(secrets.diagnostics.errors(), 0u) << text;
    std::string said = secrets.diagnostics.format(Colour::kNever) + secrets.diagnostics.to_json().dump();
    EXPECT_THAT(said, Not(HasSubstr("zq9"))) << text;
    EXPECT_THAT(said, Not(HasSubstr(" | "))) << text;
    for (const Diagnostic& diagnostic : secrets.diagnostics.items()) EXPECT_EQ(diagnostic.source, "");
  }
}

TEST(Secrets, SayWhereSomethingIsWrong) {
  ParsedSecrets secrets = parse_secrets("s.yaml", "good: 1\nlist: [a]\n");
  EXPECT_THAT(secrets.diagnostics.format(Colour::kNever), HasSubstr("s.yaml:2:7: error: a secret cannot be a list"));
  EXPECT_EQ(secrets.values.size(), 1u);
}

}  // namespace
}  // namespace freehold::model
