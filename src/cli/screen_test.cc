#include "cli/screen.h"

#include <gtest/gtest.h>

namespace freehold::cli {
namespace {

TEST(Redraw, PutsTheFirstBlockWhereTheCursorIs) { EXPECT_EQ(redraw({}, {"one"}, 80), "\rone\033[K\n\033[J"); }

TEST(Redraw, GoesUpByWhatWasDrawnAndClearsWhatIsLeftOfIt) {
  EXPECT_EQ(redraw({"one", "two"}, {"1"}, 80), "\r\033[2A1\033[K\n\033[J");
}

TEST(Redraw, CountsLinesThatANarrowerWindowHasWrapped) {
  EXPECT_EQ(redraw({"12345678", "\033[31mabcd\033[0m", ""}, {"x"}, 4), "\r\033[4Ax\033[K\n\033[J");
}

}  // namespace
}  // namespace freehold::cli
