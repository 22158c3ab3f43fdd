#include "os/random.h"

#include <gtest/gtest.h>

#include <array>

namespace freehold::os {
namespace {

TEST(Random, SameSeedGivesTheSameSequence) {
  SeededRandom a(7), b(7);
  EXPECT_EQ(a.bytes(33), b.bytes(33));
}

TEST(Random, BelowIsUniformEnough) {
  SeededRandom random(1);
  std::array<int, 10> counts{};
  for (int i = 0; i < 10'000; ++i) ++counts[random.below(10)];
  for (int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Random, SystemSourceDoesNotRepeat) { EXPECT_NE(system_random().bytes(16), system_random().bytes(16)); }

}  // namespace
}  // namespace freehold::os
