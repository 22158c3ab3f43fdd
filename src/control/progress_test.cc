#include "control/progress.h"

#include <gtest/gtest.h>

#include "control/rollout_test_support.h"

namespace freehold::control {
namespace {

using namespace std::chrono_literals;

ServiceProgress of(const Scene& scene, const std::string& name) {
  for (ServiceProgress& progress : progress_of(scene.rollout, scene.state, scene.observed, scene.now())) {
    if (progress.service == name) return progress;
  }
  return {};
}

TEST(Progress, CountsWhatServesAndNamesWhatIsAwaited) {
  Scene scene;
  scene.service("web").replicas = 2;
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  scene.node_catches_up();
  scene.see("web.3").reason = "503 from /health";
  scene.clock.advance(2s);
  ServiceProgress web = of(scene, "web");
  EXPECT_EQ(web.state, "rolling");
  EXPECT_EQ(web.wanted, 2u);
  EXPECT_EQ(web.ready, 0u);
  EXPECT_EQ(web.leaving, 2u);
  EXPECT_EQ(web.spent, 2s);
  EXPECT_EQ(web.awaits, "web.3 to be healthy");
  EXPECT_EQ(web.reason, "503 from /health");

  scene.see("web.3").state = model::InstanceState::kHealthy;
  EXPECT_EQ(of(scene, "web").awaits, "the gateway to take web.3");
  scene.serve("web.3");
  scene.go();
  EXPECT_EQ(of(scene, "web").ready, 1u);
  scene.until_it_ends();
  web = of(scene, "web");
  EXPECT_EQ(web.state, "done");
  EXPECT_EQ(web.ready, 2u);
  EXPECT_EQ(web.awaits, "");
}

TEST(Progress, SaysWhoseTurnComesFirst) {
  Scene scene;
  scene.service("db");
  scene.service("web").needs = {"db"};
  scene.apply();
  EXPECT_EQ(of(scene, "web").state, "waiting");
  EXPECT_EQ(of(scene, "web").awaits, "db");
}

TEST(Progress, SaysHowAnInstanceThatComesAgainEnded) {
  Scene scene;
  scene.service("web");
  scene.apply();
  scene.node_catches_up();
  scene.see("web.1").state = model::InstanceState::kWaiting;
  scene.see("web.1").restarts = 1;
  scene.see("web.1").last_exit = model::Exit{.code = 7, .failure = {}};
  EXPECT_EQ(of(scene, "web").reason, "it ended with exit code 7");
}

TEST(Progress, ShowsWhatIsPreparedAndWhatLeaves) {
  Scene scene;
  scene.service("old");
  scene.apply_to_the_end();
  scene.generation.organisation.services.erase("old");
  scene.service("web").prepare = {"./bin/migrate"};
  scene.apply();
  EXPECT_EQ(of(scene, "web").state, "preparing");
  EXPECT_EQ(of(scene, "web").awaits, "web.1 to prepare it");
  EXPECT_EQ(of(scene, "old").wanted, 0u);
  scene.node_catches_up();
  scene.see("old.1").state = model::InstanceState::kDraining;
  scene.go();
  EXPECT_EQ(of(scene, "old").leaving, 1u);
}

}  // namespace
}  // namespace freehold::control
