#include "codec/yaml_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "codec/yaml.h"

namespace freehold::codec {
namespace {

std::string laid_out(std::string_view text) {
  auto out = lay_out_yaml(text);
  return out ? *out : "error: " + out.error().message();
}

TEST(YamlLayout, IndentsByTwoAndListsBelowTheirKey) {
  EXPECT_EQ(
      laid_out(
          "a:\n      b:\n         - x\n         -   y: 1\n             z: 2\n      c: d\ne:\n- f\n- g:\n  - h\ni: j\n"),
      "a:\n  b:\n    - x\n    - y: 1\n      z: 2\n  c: d\ne:\n  - f\n  - g:\n      - h\ni: j\n");
}

TEST(YamlLayout, SpacesWithinALine) {
  EXPECT_EQ(laid_out("a:    1\nb: { c : 1,d:   [ x ,y ] }   \n-x:  'q  q'   # why\n"),
            "a: 1\nb: {c: 1, d: [x, y]}\n-x: 'q  q'   # why\n");
  EXPECT_EQ(laid_out("a: &n  1\nb: {*n : 2, c: , d: }\n"), "a: &n 1\nb: {*n : 2, c: , d: }\n");
}

TEST(YamlLayout, CommentsMoveWithWhatTheyStandAt) {
  EXPECT_EQ(laid_out("# head\na:\n    # of b\n    b: 1\n    # last of a\n\n# of c\nc:\n- x\n# of y\n- y\n  # end\n"),
            "# head\na:\n  # of b\n  b: 1\n  # last of a\n\n# of c\nc:\n  - x\n  # of y\n  - y\n  # end\n");
}

TEST(YamlLayout, TextsOfSeveralLinesKeepWhatTheySay) {
  EXPECT_EQ(laid_out("a:\n    b: |\n      two\n        deep\n\n      lines  \n    c: 'x\n\n      y'\n    d: plain\n    "
                     "  goes on\n"),
            "a:\n  b: |\n    two\n      deep\n\n    lines  \n  c: 'x\n\n    y'\n  d: plain\n    goes on\n");
  EXPECT_EQ(laid_out("a:\n    b: >2\n         x\n"), "a:\n  b: >2\n       x\n");
}

TEST(YamlLayout, BracketsOverSeveralLinesMoveTogether) {
  EXPECT_EQ(laid_out("a:\n    b: {c: 1,\n        # why\n        d: [x,\n            y]}\n"),
            "a:\n  b: {c: 1,\n      # why\n      d: [x,\n          y]}\n");
}

TEST(YamlLayout, LineEndsAndTheEndOfTheFile) {
  EXPECT_EQ(laid_out("a: 1  \r\nb: 2\r\n\r\n\r\n"), "a: 1\nb: 2\n");
  EXPECT_EQ(laid_out("a: 1"), "a: 1\n");
  EXPECT_EQ(laid_out("\xEF\xBB\xBF"
                     "a:  1\n"),
            "a: 1\n");
  EXPECT_EQ(laid_out(""), "");
}

TEST(YamlLayout, WhatHasErrorsIsLeftAlone) {
  EXPECT_THAT(laid_out("a: [\n"), testing::HasSubstr("it has errors"));
  EXPECT_THAT(laid_out("a: 1\na: 2\n"), testing::HasSubstr("it has errors"));
}

// The comments of a text, in order: what no tree shows.
std::vector<std::string> comments(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; (at = text.find('#', at)) != std::string::npos; at = text.find('\n', at)) {
    std::string comment = text.substr(at, text.find('\n', at) - at);
    comment.erase(comment.find_last_not_of(" \r") + 1);
    out.push_back(comment);
    if (text.find('\n', at) == std::string::npos) break;
  }
  return out;
}

// Whatever can be read keeps its tree (lay_out_yaml compares), its comments and its lines, and is laid out once for
// all.
TEST(YamlLayout, KeepsEveryGoldenFileAsItIs) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FREEHOLD_SOURCE_DIR "/tests/golden/file")) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    YamlDocument document = parse_yaml(text);
    auto out = lay_out_yaml(text);
    if (!document.root || !document.problems.empty()) {
      EXPECT_FALSE(out) << entry.path();
      continue;
    }
    ASSERT_TRUE(out) << entry.path() << ": " << out.error().message();
    ++count;
    EXPECT_EQ(comments(*out), comments(text)) << entry.path();
    auto again = lay_out_yaml(*out);
    ASSERT_TRUE(again) << entry.path();
    EXPECT_EQ(*again, *out) << entry.path();
  }
  EXPECT_GT(count, 60u);
}

}  // namespace
}  // namespace freehold::codec
