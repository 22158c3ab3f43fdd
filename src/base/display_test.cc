#include "base/display.h"

#include <gtest/gtest.h>

namespace freehold {
namespace {

TEST(Display, KnowsHowWideACharacterIs) {
  EXPECT_EQ(columns_of(U'é'), 1u);
  EXPECT_EQ(columns_of(U'日'), 2u);
  EXPECT_EQ(columns_of(U'\u0301'), 0u);
}

TEST(Display, PrintableTextMovesNoCursorAndHidesNothing) {
  EXPECT_EQ(printable("a\033[2Jb\r\nc"), "a?[2Jb  c");
  EXPECT_EQ(printable("caf\u00e9\u202e\xff"), "caf\u00e9??");
}

}  // namespace
}  // namespace freehold
