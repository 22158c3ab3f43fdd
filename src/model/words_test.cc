#include "model/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freehold::model {
namespace {

std::vector<std::string> words(std::string_view command) {
  std::vector<std::string> out;
  for (const Word& word : split_words(command).words) out.push_back(word.text);
  return out;
}

using testing::ElementsAre;

TEST(Words, AreSeparatedBySpaces) {
  EXPECT_THAT(words("  a\tb \n c "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(words(""), ElementsAre());
}

TEST(Words, FollowTheQuotingOfAShell) {
  EXPECT_THAT(words(R"('a b' "c d" e\ f g'h i'"j k")"), ElementsAre("a b", "c d", "e f", "gh ij k"));
  EXPECT_THAT(words(R"("a\"b" "\\" "\n" '\' '')"), ElementsAre("a\"b", "\\", "\\n", "\\", ""));
  EXPECT_THAT(words("sh -c 'a | b > c'"), ElementsAre("sh", "-c", "a | b > c"));
}

TEST(Words, KeepSubstitutionsAndEscapedDollars) {
  EXPECT_THAT(words(R"(a${PORT}b ${x y} \$c "\$d" $$e 5$)"),
              ElementsAre("a${PORT}b", "${x y}", "$$c", "$$d", "$$e", "5$"));
}

TEST(Words, KnowWhereTheyStand) {
  Words split = split_words("ab 'c d' e");
  ASSERT_EQ(split.words.size(), 3u);
  EXPECT_EQ(split.words[1].offset, 3u);
  EXPECT_EQ(split.words[1].length, 5u);
  EXPECT_EQ(split.words[2].offset, 9u);
}

TEST(Words, RefuseWhatOnlyAShellWouldDo) {
  for (const char* command : {"a | b", "a && b", "a; b", "a > b", "a < b", "a & b", "a `b`", "a $(b)", "(a)", "a $B"}) {
    EXPECT_EQ(split_words(command).problems.size(), 1u) << command;
  }
  EXPECT_EQ(split_words("a 'b").problems.size(), 1u);
  EXPECT_EQ(split_words("a \"b\\").problems.size(), 1u);
  EXPECT_EQ(split_words("a \\").problems.size(), 1u);
  EXPECT_EQ(split_words("a 'b' \\| \"c;\" ${PORT}").problems.size(), 0u);
}

}  // namespace
}  // namespace freehold::model
