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

}  // namespace
}  // namespace freehold
