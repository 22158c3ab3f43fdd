#include "base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace freehold {
namespace {

TEST(NearName, FindsTheTypo) {
  constexpr std::array<std::string_view, 3> names = {"replicas", "routes", "restart"};
  EXPECT_EQ(near_name("repilcas", names), "replicas");
  EXPECT_EQ(near_name("Restart", names), "restart");
  EXPECT_EQ(near_name("banana", names), "");
  EXPECT_EQ(near_name("", names), "");
}

TEST(Split, KeepsEmptyParts) { EXPECT_EQ(split("a,,b", ',').size(), 3u); }

TEST(Trim, RemovesSpaceAtBothEnds) { EXPECT_EQ(trim(" \ta b\r\n"), "a b"); }

TEST(ToHex, WritesTwoDigitsPerByte) { EXPECT_EQ(to_hex(std::string_view("\x00\xff", 2)), "00ff"); }

TEST(EqualsIgnoringCase, ComparesAscii) {
  EXPECT_TRUE(equals_ignoring_case("Keep-Alive", "keep-alive"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
}

TEST(FirstCodePoint, ReadsEachLengthAndRefusesWhatIsNoUtf8) {
  EXPECT_EQ(first_code_point("a").value, U'a');
  EXPECT_EQ(first_code_point("\xC3\xA9x").value, U'\u00E9');
  EXPECT_EQ(first_code_point("\xE2\x82\xAC").value, U'\u20AC');
  EXPECT_EQ(first_code_point("\xF0\x9F\x98\x80").length, 4u);
  for (const char* text : {"", "\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_EQ(first_code_point(text).length, 0u) << text;
  }
}

}  // namespace
}  // namespace freehold
