#include "control/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/ledger.h"
#include "control/rollout_test_support.h"
#include "store/memory_store.h"

namespace freehold::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

TEST(Rollout, StartsServicesAfterThoseThatTheyNeed) {
  Scene scene;
  scene.service("db");
  scene.service("web").needs = {"db"};
  scene.apply();
  EXPECT_THAT(scene.wanted("db"), ElementsAre("db.1"));
  EXPECT_THAT(scene.wanted("web"), IsEmpty());
  scene.everything_serves();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
  scene.everything_serves();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
  EXPECT_EQ(scene.state.generation, 1u);
}

TEST(Rollout, StartsTheNewInstanceFirstAndStopsTheOldOneWhenItServes) {
  Scene scene;
  scene.service("web").replicas = 2;
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1", "web.2", "web.3"));
  scene.node_catches_up();
  scene.see("web.3").state = model::InstanceState::kHealthy;  // the gateway has not acknowledged it yet
  scene.go();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1", "web.2", "web.3"));
  scene.serve("web.3");
  scene.go();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.2", "web.3", "web.4"));
  scene.until_it_ends();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.3", "web.4"));
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
}

TEST(Rollout, KeepsAllOldInstancesUntilTheFirstNewOneServes) {
  Scene scene;
  scene.service("web").replicas = 3;
  scene.apply_to_the_end();
  scene.change("web").replicas = 1;
  scene.apply();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1", "web.2", "web.3", "web.4"));
  scene.everything_serves();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.4"));
}

TEST(Rollout, DoesNotTakeThePrepareCommandOfAHeldApplyForItsOwn) {
  Scene scene;
  model::Service& web = scene.service("web");
  web.prepare = {"./bin/migrate"};
  web.deploy.on_failure = model::OnFailure::kHold;
  scene.apply();
  scene.node_catches_up();
  scene.end_once("web.1", 1);
  scene.go();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kFailed);
  scene.apply();  // the same file again
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.2"));
  EXPECT_EQ(scene.find("web.2")->instance.wanted, model::Wanted::kOnce);
}

TEST(Rollout, GoesBackWithoutWaitingForARevisionThatIsNeverMade) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.service("new");
  scene.generation.organisation.routes = {{"coop.example", {{.pattern = "/", .service = "new"}}}};
  scene.apply();
  request_undo(scene.rollout, "ctrl-C");  // before the routes switched: they are as they were already
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kUndone);
}

TEST(Rollout, DoesNotAskToBeWokenWhileItWaitsForTheNodesAnswer) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.generation.organisation.gateway.cores = 2;
  scene.apply();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kRunning);
  StepResult result = step(scene.rollout, scene.state, scene.observed, scene.now());
  EXPECT_FALSE(result.wake_after.has_value());
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
}

TEST(Rollout, StopsNothingBeforeTheNodeWasHeard) {
  Scene scene;
  scene.service("web").replicas = 2;
  scene.apply_to_the_end();
  scene.see("web.1").state = model::InstanceState::kUnhealthy;
  scene.see("web.1").serving = false;
  model::NodeObserved heard = std::exchange(scene.observed, {});  // control has just started again
  scene.service("web").replicas = 1;
  scene.apply();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1", "web.2"));
  scene.observed = heard;
  scene.go();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.2"));
}

TEST(Rollout, LeavesUnchangedServicesAlone) {
  Scene scene;
  scene.service("db");
  scene.service("web");
  scene.apply_to_the_end();
  auto before = scene.state.instances.at("db");
  scene.change("web");
  scene.apply_to_the_end();
  EXPECT_EQ(scene.state.instances.at("db"), before);
  EXPECT_EQ(scene.rollout.services.size(), 1u);
}

TEST(Rollout, GoesBackWhenTheNewInstanceCrashesAndReusesTheOldOne) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  scene.node_catches_up();
  model::ObservedInstance& bad = scene.see("web.2");
  bad.last_exit = model::Exit{.code = 7, .failure = {}};
  bad.restarts = kEndsBeforeFailure - 1;
  scene.go();
  EXPECT_EQ(scene.rollout.direction, Direction::kForward);
  scene.see("web.2").restarts = kEndsBeforeFailure;
  scene.go();
  EXPECT_EQ(scene.rollout.direction, Direction::kUndo);
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kUndone);
  EXPECT_EQ(generation_status(scene.rollout), GenerationStatus::kFailed);
  EXPECT_EQ(scene.state.generation, 1u);
  EXPECT_THAT(outcome_text(scene.rollout), HasSubstr("exit code 7"));
}

TEST(Rollout, GoesBackWhenTheDeadlinePasses) {
  Scene scene;
  scene.service("web").deploy.deadline = 60s;
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  scene.node_catches_up();
  scene.clock.advance(59s);
  scene.go();
  EXPECT_EQ(scene.rollout.direction, Direction::kForward);
  scene.clock.advance(2s);
  scene.go();
  EXPECT_EQ(scene.rollout.direction, Direction::kUndo);
  EXPECT_THAT(scene.rollout.reason, HasSubstr("was not done within 1m: web.2 is starting"));
}

TEST(Rollout, DoesNotCountTimeWhileControlWasAway) {
  Scene scene;
  scene.service("web").deploy.deadline = 60s;
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  scene.node_catches_up();
  scene.clock.advance(1h);
  resume(scene.rollout, scene.now());
  scene.go();
  EXPECT_EQ(scene.rollout.direction, Direction::kForward);
}

TEST(Rollout, HoldsWhereTheFileSaysSo) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.change("web").deploy.on_failure = model::OnFailure::kHold;
  scene.apply();
  scene.node_catches_up();
  scene.see("web.2").state = model::InstanceState::kCrashLooping;
  scene.go();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kFailed);
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1", "web.2"));
  EXPECT_EQ(scene.state.generation, 1u);
}

TEST(Rollout, PreparesOnceBeforeTheFirstNewInstance) {
  Scene scene;
  model::Service& web = scene.service("web");
  web.prepare = {"./bin/migrate"};
  web.replicas = 2;
  scene.apply();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
  EXPECT_EQ(scene.find("web.1")->instance.wanted, model::Wanted::kOnce);
  scene.everything_serves();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.2", "web.3"));
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
}

TEST(Rollout, SaysThatPrepareHangsWhenTimeIsOver) {
  Scene scene;
  scene.service("web").prepare = {"./bin/migrate"};
  scene.generation.organisation.services.at("web").deploy.deadline = 60s;
  scene.apply();
  scene.node_catches_up();
  scene.clock.advance(61s);
  scene.go();
  EXPECT_THAT(scene.rollout.reason, HasSubstr("was not done within 1m: web.1 has not finished preparing it"));
}

TEST(Rollout, GoesBackWhenPrepareFails) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.change("web").prepare = {"./bin/migrate"};
  scene.apply();
  scene.node_catches_up();
  scene.end_once("web.2", 3);
  scene.go();
  EXPECT_THAT(scene.rollout.reason,
              HasSubstr("web.2 did not prepare web: it ended with exit code 3 (`freehold logs web` has"));
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kUndone);
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
}

TEST(Rollout, StopsTheOnlyWriterBeforeTheNextOneStarts) {
  Scene scene;
  model::Service& db = scene.service("db");
  db.volumes = {{"data", "", model::Writers::kOne}};
  db.prepare = {"./bin/migrate"};
  scene.apply_to_the_end();
  scene.change("db");
  scene.apply();
  EXPECT_THAT(scene.wanted("db"), IsEmpty());
  scene.observed.revision = scene.state.revision;
  scene.see("db.2").state = model::InstanceState::kDraining;
  scene.go();
  EXPECT_THAT(scene.wanted("db"), IsEmpty());
  scene.see("db.2").state = model::InstanceState::kStopped;
  scene.go();
  EXPECT_THAT(scene.wanted("db"), ElementsAre("db.3"));  // prepares: it writes there too
  scene.until_it_ends();
  EXPECT_THAT(scene.wanted("db"), ElementsAre("db.4"));
}

TEST(Rollout, WaitsForAnAnswerYoungerThanTheOrderToStop) {
  Scene scene;
  scene.service("db").volumes = {{"data", "", model::Writers::kOne}};
  scene.apply_to_the_end();
  scene.change("db");
  scene.apply();
  scene.observed.instances.clear();  // from a node that has not heard of the order yet
  scene.go();
  EXPECT_THAT(scene.wanted("db"), IsEmpty());
}

TEST(Rollout, HandsAVolumeOverFromAServiceThatGoes) {
  Scene scene;
  scene.service("old").volumes = {{"data", "/srv/data", model::Writers::kOne}};
  scene.apply_to_the_end();
  scene.generation.organisation.services.erase("old");
  scene.service("new").volumes = {{"data", "/srv/data", model::Writers::kOne}};
  scene.apply();
  EXPECT_THAT(scene.wanted("old"), IsEmpty());
  EXPECT_THAT(scene.wanted("new"), IsEmpty());
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
  EXPECT_THAT(scene.wanted("new"), ElementsAre("new.1"));
}

TEST(Rollout, SwitchesRoutesWhenTheirServiceServesAndThenStopsTheOldOne) {
  Scene scene;
  auto route_to = [&](const std::string& service) {
    model::PathRule rule;
    rule.pattern = "/";
    rule.prefix = true;
    rule.service = service;
    scene.generation.organisation.routes = {{"coop.example", {rule}}};
  };
  scene.service("old");
  route_to("old");
  scene.apply_to_the_end();
  scene.generation.organisation.services.erase("old");
  scene.service("new");
  route_to("new");
  scene.apply();
  EXPECT_EQ(scene.state.routing.routes[0].paths[0].service, "old");
  EXPECT_TRUE(scene.state.routing.addresses.contains("new"));
  scene.node_catches_up();
  scene.serve("new.1");
  scene.go();
  EXPECT_EQ(scene.state.routing.routes[0].paths[0].service, "new");
  EXPECT_THAT(scene.wanted("old"), ElementsAre("old.1"));  // until the node has the new routes
  scene.until_it_ends();
  EXPECT_THAT(scene.wanted("old"), IsEmpty());
  EXPECT_EQ(scene.state.routing, scene.target.routing);
}

TEST(Rollout, WatchesOldInstancesByTheirOwnRulesUntilTheyGo) {
  Scene scene;
  scene.service("web").health = {.kind = model::HealthKind::kHttp, .path = "/health", .command = {}};
  scene.apply_to_the_end();
  scene.change("web").health.path = "/healthz";
  scene.apply();
  model::NodeDesired desired = node_desired(scene.state);
  ASSERT_EQ(desired.instances.size(), 2u);
  EXPECT_EQ(model::supervision_of(desired, desired.instances[0])->health.path, "/health");
  EXPECT_EQ(model::supervision_of(desired, desired.instances[1])->health.path, "/healthz");
  scene.until_it_ends();
  EXPECT_EQ(scene.state.supervision.size(), 1u);
}

TEST(Rollout, AppliesAHealthCheckInPlaceWithoutWaitingForHealth) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.see("web.1").state = model::InstanceState::kUnhealthy;
  scene.service("web").health.every = 3s;
  scene.apply();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
  EXPECT_EQ(scene.state.supervision.at("web").health.every, 3s);
}

TEST(Rollout, FirstApplyThatFailsLeavesNothing) {
  Scene scene;
  scene.service("db");
  scene.service("web").needs = {"db"};
  scene.apply();
  scene.everything_serves();
  scene.node_catches_up();
  scene.see("web.1").state = model::InstanceState::kCrashLooping;
  scene.go();
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kFailed);
  EXPECT_THAT(scene.state.instances, IsEmpty());
  EXPECT_THAT(scene.state.runtimes, IsEmpty());
}

TEST(Rollout, SaysBothReasonsWhenGoingBackFailsToo) {
  Scene scene;
  scene.service("db").volumes = {{"data", "", model::Writers::kOne}};
  scene.apply_to_the_end();
  scene.change("db");
  scene.apply();
  scene.node_catches_up();
  scene.go();
  scene.node_catches_up();
  scene.see("db.2").state = model::InstanceState::kCrashLooping;
  scene.see("db.2").reason = "first";
  scene.go();
  scene.node_catches_up();
  scene.go();
  scene.node_catches_up();
  scene.see("db.3").state = model::InstanceState::kCrashLooping;
  scene.see("db.3").reason = "second";
  scene.go();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kFailed);
  EXPECT_THAT(outcome_text(scene.rollout), AllOf(HasSubstr("first"), HasSubstr("second")));
  EXPECT_THAT(scene.wanted("db"), ElementsAre("db.3"));
}

TEST(Rollout, TakesBackOnRequest) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  request_undo(scene.rollout, "ctrl-C");
  scene.go();
  scene.until_it_ends();
  EXPECT_EQ(generation_status(scene.rollout), GenerationStatus::kUndone);
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
}

TEST(Rollout, IsGivenUpForADownThatStopsWhatItStarted) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.change("web");
  scene.service("new").needs = {"web"};
  scene.apply();
  scene.everything_serves();
  EXPECT_THAT(scene.wanted("new"), ElementsAre("new.1"));
  give_up(scene.rollout, "anna", scene.now());
  EXPECT_EQ(scene.rollout.outcome, Outcome::kUndone);
  EXPECT_EQ(generation_status(scene.rollout), GenerationStatus::kUndone);
  EXPECT_EQ(outcome_text(scene.rollout), "given up: anna asked for everything to stop");

  scene.generation.organisation.services.erase("new");  // the generation before is the current one still
  Overrides down = scene.overrides;
  down.down = AskedBy{"anna", {}};
  scene.begin(RolloutKind::kDown, down);
  scene.until_it_ends();
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
  EXPECT_THAT(scene.wanted("web"), IsEmpty());
  EXPECT_THAT(scene.wanted("new"), IsEmpty());
}

TEST(Rollout, ThatWasGoingBackAndIsGivenUpHasFailed) {
  Scene scene;
  scene.service("web");
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  scene.node_catches_up();
  scene.see("web.2").state = model::InstanceState::kCrashLooping;
  scene.go();
  ASSERT_EQ(scene.rollout.direction, Direction::kUndo);
  give_up(scene.rollout, "anna", scene.now());
  EXPECT_EQ(generation_status(scene.rollout), GenerationStatus::kFailed);
  EXPECT_THAT(outcome_text(scene.rollout), AllOf(HasSubstr("anna"), HasSubstr("crash-looping")));
}

TEST(Rollout, StopsEverythingInReverseAndStartsItAgainWithTheNextApply) {
  Scene scene;
  scene.service("db");
  scene.service("web").needs = {"db"};
  scene.apply_to_the_end();
  Overrides down = scene.overrides;
  down.down = AskedBy{"anna", {}};
  scene.begin(RolloutKind::kDown, down);
  scene.go();
  EXPECT_THAT(scene.wanted("web"), IsEmpty());
  EXPECT_THAT(scene.wanted("db"), ElementsAre("db.1"));
  scene.until_it_ends();
  EXPECT_THAT(scene.state.instances, IsEmpty());
  ++scene.generation.number;
  scene.begin(RolloutKind::kApply, carried_overrides(down, scene.generation.organisation));
  scene.go();
  scene.until_it_ends();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.2"));
}

TEST(Rollout, ScalesAndRestartsThroughTheSameMachine) {
  Scene scene;
  scene.service("web").replicas = 2;
  scene.apply_to_the_end();
  Overrides to = scene.overrides;
  to.scale["web"] = {3, "anna", {}};
  scene.begin(RolloutKind::kScale, to);
  scene.go();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1", "web.2", "web.3"));
  scene.until_it_ends();
  to.scale["web"].replicas = 1;
  scene.begin(RolloutKind::kScale, to);
  scene.go();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.1"));
  scene.until_it_ends();
  ++to.restarts["web"];
  scene.begin(RolloutKind::kRestart, to);
  scene.go();
  scene.until_it_ends();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.4"));
}

TEST(Rollout, DrainsWithoutStopping) {
  Scene scene;
  scene.service("web").replicas = 2;
  scene.apply_to_the_end();
  Overrides to;
  to.drained["web.1"] = {"anna", {}};
  scene.begin(RolloutKind::kDrain, to);
  scene.go();
  EXPECT_EQ(scene.find("web.1")->instance.wanted, model::Wanted::kIdle);
  EXPECT_EQ(scene.find("web.2")->instance.wanted, model::Wanted::kRunning);
  EXPECT_EQ(scene.rollout.outcome, Outcome::kDone);
}

TEST(Rollout, GoesOnFromItsStoredForm) {
  Scene scene;
  scene.service("web").replicas = 2;
  scene.apply_to_the_end();
  scene.change("web");
  scene.apply();
  scene.rollout.id = 1;
  store::MemoryStore store;
  Ledger ledger = *Ledger::open(store);
  ledger.desired = scene.state;
  ledger.rollout = scene.rollout;
  ASSERT_TRUE(ledger.commit({.rollout = true}).ok());
  Ledger again = *Ledger::open(store);
  scene.rollout = *again.rollout;
  scene.state = again.desired;
  scene.until_it_ends();
  EXPECT_THAT(scene.wanted("web"), ElementsAre("web.3", "web.4"));
}

}  // namespace
}  // namespace freehold::control
