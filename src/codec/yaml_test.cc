#include "codec/yaml.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freehold::codec {
namespace {

// "line:column: message (hint) [first line:column]" of each problem.
std::string problems(std::string_view text, YamlPrivacy privacy = YamlPrivacy::kOpen) {
  std::string out;
  for (const YamlProblem& problem : parse_yaml(text, YamlLimits(), privacy).problems) {
    out += fmt::format("{}:{}: {}", problem.mark.line, problem.mark.column, problem.message);
    if (!problem.hint.empty()) out += fmt::format(" ({})", problem.hint);
    if (problem.first) out += fmt::format(" [{}:{}]", problem.first->line, problem.first->column);
    out += '\n';
  }
  return out;
}

TEST(Yaml, KeepsScalarsAsTheyAreWritten) {
  YamlDocument document = parse_yaml("a: no\nb: \"3\"\nc: [1, ~]\nd: {e: 'x y'}\nf: |\n  two\n  lines\ng:\n");
  ASSERT_TRUE(document.root);
  EXPECT_TRUE(document.problems.empty());
  const auto& entries = document.root->entries;
  ASSERT_EQ(entries.size(), 6u);
  EXPECT_EQ(entries[0].value.text, "no");
  EXPECT_TRUE(entries[0].value.plain);
  EXPECT_EQ(entries[1].value.text, "3");
  EXPECT_FALSE(entries[1].value.plain);
  EXPECT_EQ(entries[2].value.items[1].text, "~");
  EXPECT_EQ(entries[3].value.entries[0].value.text, "x y");
  EXPECT_EQ(entries[4].value.text, "two\nlines\n");
  EXPECT_EQ(entries[5].value.text, "");
}

TEST(Yaml, MarksCountBytesAndCharacters) {
  std::string text = "\xEF\xBB\xBF\xC3\xA9t\xC3\xA9: 'sz\xC3\xB6l\xC5\x91'\r\nlast: \xF0\x9F\x98\x80 end\n";
  YamlDocument document = parse_yaml(text);
  ASSERT_TRUE(document.root);
  const YamlEntry& first = document.root->entries[0];
  EXPECT_EQ(first.key_mark.column, 1u);
  EXPECT_EQ(text.substr(first.key_mark.offset, first.key_mark.length), "\xC3\xA9t\xC3\xA9");
  EXPECT_EQ(first.value.mark.column, 6u);
  EXPECT_EQ(text.substr(first.value.mark.offset, first.value.mark.length), "'sz\xC3\xB6l\xC5\x91'");
  const YamlEntry& last = document.root->entries[1];
  EXPECT_EQ(last.key_mark.line, 2u);
  EXPECT_EQ(text.substr(last.value.mark.offset, last.value.mark.length), "\xF0\x9F\x98\x80 end");
}

TEST(Yaml, MarksStayRightFarIntoALongText) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("k{}: \xC3\xA9\n", i);
  YamlDocument document = parse_yaml(text);
  ASSERT_TRUE(document.root);
  for (const YamlEntry& entry : document.root->entries) {
    ASSERT_EQ(text.substr(entry.key_mark.offset, entry.key_mark.length), entry.key);
    ASSERT_EQ(text.substr(entry.value.mark.offset, entry.value.mark.length), "\xC3\xA9");
  }
}

TEST(Yaml, NamesBothPlacesOfDuplicateKeys) {
  EXPECT_EQ(
      problems("a: 1\nb: {c: 1, c: 2}\na: 3\n"),
      "2:11: duplicate key 'c' (keep one of the two) [2:5]\n3:1: duplicate key 'a' (keep one of the two) [1:1]\n");
}

TEST(Yaml, ExpandsAliases) {
  YamlDocument document = parse_yaml("a: &x {k: v}\nb: *x\nc: [*x, *x]\n");
  ASSERT_TRUE(document.root);
  EXPECT_TRUE(document.problems.empty());
  EXPECT_EQ(document.root->entries[2].value.items[1].entries[0].value.text, "v");
}

TEST(Yaml, RefusesABomb) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    text += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_THAT(problems(text), testing::HasSubstr("the aliases of this file expand to more than 20000 values"));
  EXPECT_FALSE(parse_yaml(text).root);
  std::string wide = "a: &a '" + std::string(100'000, 'x') + "'\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n";
  EXPECT_THAT(problems(wide), testing::HasSubstr("1048576 bytes"));
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) deep += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  EXPECT_THAT(problems(deep), testing::HasSubstr("nested deeper than 32 levels"));
  EXPECT_THAT(problems("a: &a [*a]\n"), testing::HasSubstr("unknown alias '*a'"));
}

TEST(Yaml, HoldsItsLimits) {
  EXPECT_THAT(problems(std::string(100, '[')), testing::HasSubstr("nested deeper than 32 levels"));
  EXPECT_THAT(problems(std::string((4 << 20) + 1, 'x')), testing::HasSubstr("over the limit of 4194304"));
  std::string many = "[";
  for (int i = 0; i < 300'001; ++i) many += "a,";
  EXPECT_THAT(problems(many + "]"), testing::HasSubstr("more than 300000 values"));
}

TEST(Yaml, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(problems("a: !!str x\n"),
            "1:4: the tag 'tag:yaml.org,2002:str' is not supported (put a value that starts with '!', '&' or '*' in "
            "quotes)\n");
  EXPECT_EQ(problems("a: &x {}\nb: {<<: *x}\n"), "2:5: merge keys ('<<') are not supported (write the keys out)\n");
  EXPECT_EQ(problems("a: 1\n---\nb: 1\n"), "2:1: a second document starts here (keep one document per file)\n");
  EXPECT_EQ(problems("{[a]: 1}\n"),
            "1:2: a key must be a single word, not a list or a mapping (put a value that starts with '[' or '{' in "
            "quotes)\n");
}

TEST(Yaml, ExplainsSyntaxErrors) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c : {
           Case{"a: 1\n\tb: 2\n", "2:1: a tab may not indent a line (use spaces)\n"},
           Case{
               "a: b: c\n",
               "1:5: a ':' may not stand here (put a value that holds ': ' in quotes, or check the indentation of this "
               "line)\n"},
           Case{"a: 'x\nb: 1\n",
                "1:4: this quote is not closed (close it, or put a value that holds a quote in the other kind of "
                "quotes)\n"},
           Case{"a: {b: ${c}}\n", "1:9: '${' needs quotes here (inside [...] and {...} write \"${NAME}\" in quotes)\n"},
           Case{"a: @x\n", "1:4: a value may not start with '@' (put it in quotes)\n"},
           Case{"a: [1, 2\nb: 3\n", "2:2: expected ',' or ']' in the list (close the list that was opened) [1:4]\n"},
           Case{"a: 1\nb\n", "3:1: a ':' is missing after the key (write 'key: value') [2:1]\n"},
           Case{"a: \"\\q\"\n",
                "1:5: this escape is unknown (in double quotes a backslash starts an escape; write \\\\ or use single "
                "quotes)\n"},
           Case{"a: \xff\n", "1:4: this is not UTF-8 text (save the file as UTF-8)\n"},
           Case{"\xff\xfe"
                "a",
                "1:1: this file is UTF-16 (save the file as UTF-8)\n"},
           Case{"a: \x01\n",
                "1:4: the character U+0001 may not stand here (remove it, or write it as an escape in "
                "double quotes)\n"},
       }) {
    EXPECT_EQ(problems(c.text), c.expected) << c.text;
  }
}

TEST(Yaml, SaysNothingOfAConfidentialText) {
  for (const char* text : {"a: !zq9", "a: *zq9", "a: &zq9 b", "zq9: 1\nzq9: 2", "a: @zq9", "a: 'zq9", "a: zq9: zq9",
                           "a: \"\\zq9\"", "%zq9", "a: {zq9", "a: !zq9!x y", "!<zq9"}) {
    std::string said = problems(text, YamlPrivacy::kConfidential);
    EXPECT_FALSE(said.empty()) << text;
    EXPECT_EQ(said.find("zq9"), std::string::npos) << said;
    EXPECT_EQ(said.find('@'), std::string::npos) << said;
  }
}

TEST(Yaml, ReadsAnEmptyTextAsNothing) {
  for (const char* text : {"", "# only a comment\n", "---\n"}) {
    YamlDocument document = parse_yaml(text);
    ASSERT_TRUE(document.root) << text;
    EXPECT_EQ(document.root->text, "");
  }
}

}  // namespace
}  // namespace freehold::codec
