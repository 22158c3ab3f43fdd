#include "control/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/rollout_test_support.h"

namespace freehold::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Rollout, StartsServicesAfterThoseThatTheyNeed) {
  Scene scene;
  scene.service("db");
  scene.service("web").needs = {"db"};
  scene.apply();
  EXPECT_THAT(scene.wanted("db"), ElementsAre("db.1"));
  EXPECT_THAT(scene.wanted("web"), ElementsAre());
  scene.everything_serves();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
  scene.everything_serves();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
  EXPECT_EQ(scene.state.generation, 1u);
}

}  // namespace
}  // namespace freehold::control
