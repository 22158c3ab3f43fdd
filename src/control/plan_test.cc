#include "control/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/plan_text.h"

namespace freehold::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Desk {
  Generation generation;
  Allocations allocations;
  Overrides overrides;

  Desk() { generation.number = 1; }
  model::Service& service(const std::string& name) {
    model::Service& service = generation.organisation.services[name];
    service.name = name;
    if (service.run.empty()) service.run = {"./bin/" + name};
    allocations.addresses.try_emplace(name, static_cast<uint16_t>(7000 + allocations.addresses.size()));
    return service;
  }
  void route(const std::string& pattern, const std::string& to) {
    if (generation.organisation.routes.empty()) generation.organisation.routes.push_back({"coop.example", {}});
    generation.organisation.routes[0].paths.push_back({.pattern = pattern, .service = to});
  }
  Composed composed(const Composed* previous = nullptr) const {
    return *compose(generation, allocations, overrides, previous);
  }
};

std::vector<std::string> lines(const Plan& plan) {
  std::vector<std::string> out;
  for (const ServiceChange& change : plan.changes) {
    out.push_back(fmt::format("{} {} {}", change.step, enum_names(change.kind)[static_cast<size_t>(change.kind)],
                              change.service));
  }
  return out;
}

model::ObservedInstance seen(const Composed& composed, const std::string& id, model::InstanceState state) {
  model::ObservedInstance instance;
  instance.id = id;
  instance.service = std::string(service_of(id));
  instance.fingerprint = composed.services.at(instance.service)->spec.runtime.fingerprint;
  instance.state = state;
  instance.serving = state == model::InstanceState::kHealthy;
  return instance;
}

TEST(Plan, OrdersTheFirstApplyByNeed) {
  Desk desk;
  desk.service("db").prepare = {"./bin/migrate"};
  desk.service("web").needs = {"db"};
  desk.service("alone");
  Plan plan = make_plan(desk.composed(), nullptr, nullptr, {}, {});
  EXPECT_THAT(lines(plan), ElementsAre("1 create alone", "1 prepare db", "1 create db", "2 create web"));
  EXPECT_FALSE(plan.empty());
}

TEST(Plan, SaysWhatBecomesOfJobs) {
  Desk desk;
  desk.service("nightly").job = model::Job{.schedule = "daily 02:00"};
  desk.service("weekly").job = model::Job{.schedule = "sun 03:00"};
  Plan first = make_plan(desk.composed(), nullptr, nullptr, {}, {});
  EXPECT_THAT(lines(first), ElementsAre("1 create nightly", "1 create weekly"));
  EXPECT_THAT(render(first, Colour::kOff), HasSubstr("+ create job nightly, daily 02:00"));

  Composed before = desk.composed();
  EXPECT_TRUE(make_plan(desk.composed(&before), &before, nullptr, {}, {}).empty());
  desk.service("nightly").job->schedule = "daily 04:00";
  desk.service("nightly").run = {"./bin/other"};
  desk.generation.organisation.services.erase("weekly");
  std::string text = render(make_plan(desk.composed(&before), &before, nullptr, {}, {}), Colour::kOff);
  EXPECT_THAT(text, HasSubstr("~ update job nightly, daily 04:00"));
  EXPECT_THAT(text, HasSubstr("schedule: daily 02:00 -> daily 04:00"));
  EXPECT_THAT(text, HasSubstr("one that is under way goes on"));
  EXPECT_THAT(text, HasSubstr("- remove job weekly, sun 03:00"));
}

TEST(Plan, TellsAServiceThatBecomesAJobAndBack) {
  Desk desk;
  desk.service("report");
  Composed service = desk.composed();
  desk.service("report").job = model::Job{.schedule = "hourly"};
  Composed job = desk.composed();
  EXPECT_THAT(lines(make_plan(job, &service, nullptr, {}, {})), ElementsAre("1 create report", "1 scale-down report"));
  EXPECT_THAT(lines(make_plan(service, &job, nullptr, {}, {})), ElementsAre("1 create report"));
}

TEST(Plan, IsEmptyWhenNothingChanged) {
  Desk desk;
  desk.service("web");
  Composed before = desk.composed();
  ++desk.generation.number;
  Plan plan = make_plan(desk.composed(&before), &before, nullptr, {}, {});
  EXPECT_TRUE(plan.empty());
  EXPECT_EQ(plan.unchanged, 1u);
  EXPECT_THAT(render(plan, Colour::kOff), HasSubstr("Nothing to apply"));
}

TEST(Plan, TellsReplaceStopFirstScaleUpdateAndRemoveApart) {
  Desk desk;
  for (const char* name : {"rolling", "writer", "scaled", "watched", "gone", "goes_too"}) desk.service(name);
  desk.service("writer").volumes = {{"data", "", model::Writers::kOne}};
  desk.service("gone").needs = {"goes_too"};
  Composed before = desk.composed();
  desk.service("rolling").env["A"] = "b";
  desk.service("writer").env["A"] = "b";
  desk.service("scaled").replicas = 3;
  desk.service("watched").health.healthy_after = 4;
  desk.generation.organisation.services.erase("gone");
  desk.generation.organisation.services.erase("goes_too");
  Plan plan = make_plan(desk.composed(&before), &before, nullptr, {}, {});
  EXPECT_THAT(lines(plan), ElementsAre("1 replace rolling", "1 scale-up scaled", "1 update watched",
                                       "1 replace-stop-first writer", "2 remove gone", "3 remove goes_too"));
  EXPECT_THAT(plan.changes[0].reasons, ElementsAre(KeyChange{"env.A", "", "b", Effect::kReplace}));
  EXPECT_THAT(plan.changes[0].notice, HasSubstr("WebSocket"));
  EXPECT_THAT(plan.changes[3].notice, HasSubstr("not reachable for a moment: volume data has one writer"));
}

TEST(Plan, ShowsRoutesAddedRemovedAndRetargeted) {
  Desk desk;
  desk.service("a");
  desk.service("b");
  desk.route("/x", "a");
  desk.route("/y", "a");
  Composed before = desk.composed();
  desk.generation.organisation.routes.clear();
  desk.route("/x", "b");
  desk.route("/z", "a");
  Plan plan = make_plan(desk.composed(&before), &before, nullptr, {}, {});
  std::string text = render(plan, Colour::kOff);
  EXPECT_THAT(text, HasSubstr("~ coop.example/x to b (was a)"));
  EXPECT_THAT(text, HasSubstr("+ coop.example/z to a"));
  EXPECT_THAT(text, HasSubstr("- coop.example/y (was a)"));
}

TEST(Plan, NamesSecretsAndNeverShowsThem) {
  Desk desk;
  desk.generation.secret_hashes["cookie"] = "hash-one";
  desk.service("web").secrets = {{"cookie", model::SecretForm::kFile}};
  Composed before = desk.composed();
  desk.generation.secret_hashes["cookie"] = "hash-two";
  Plan plan = make_plan(desk.composed(&before), &before, nullptr, {}, {});
  std::string text = render(plan, Colour::kOn) + codec::to_json(plan).dump();
  EXPECT_THAT(text, HasSubstr("cookie has a new value (by web)"));
  EXPECT_THAT(text, Not(HasSubstr("hash-")));
}

TEST(Plan, TellsWhereRealityDeparts) {
  Desk desk;
  desk.service("web").replicas = 2;
  desk.service("db");
  desk.overrides.scale["web"] = {3, "anna", WallTime(std::chrono::hours(24))};
  Composed current = desk.composed();
  model::NodeObserved observed;
  observed.instances = {seen(current, "web.1", model::InstanceState::kHealthy),
                        seen(current, "web.2", model::InstanceState::kCrashLooping)};
  observed.instances[1].reason = "exit code 3";
  observed.problems = {"no memory limits here"};
  Plan plan = make_plan(desk.composed(&current), &current, &observed, desk.overrides, {});
  EXPECT_TRUE(plan.empty());
  std::string text = render(plan, Colour::kOff);
  EXPECT_THAT(text, HasSubstr("web is scaled to 3; the file says 2 (by anna, 1970-01-02T00:00:00.000Z)"));
  EXPECT_THAT(text, HasSubstr("1 of 3 instances of web serve: web.2 is crash-looping: exit code 3"));
  EXPECT_THAT(text, HasSubstr("none of db's instances runs"));
  EXPECT_THAT(text, HasSubstr("no memory limits here"));
}

TEST(Plan, ReplacesWhatAFailedApplyLeft) {
  Desk desk;
  desk.service("web");
  Composed current = desk.composed();
  model::NodeObserved observed;
  observed.instances = {seen(current, "web.1", model::InstanceState::kHealthy),
                        seen(current, "web.2", model::InstanceState::kHealthy)};
  observed.instances[1].fingerprint = "of a failed generation";
  Plan plan = make_plan(desk.composed(&current), &current, &observed, {}, {});
  EXPECT_THAT(lines(plan), ElementsAre("1 replace web"));
  EXPECT_EQ(plan.changes[0].reasons[0].key, "instances of another version");
}

TEST(Plan, ReadsBackFromJson) {
  Desk desk;
  desk.service("web");
  Plan plan = make_plan(desk.composed(), nullptr, nullptr, {}, {});
  auto back = codec::from_json<Plan>(codec::to_json(plan));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(codec::to_json(*back).dump(), codec::to_json(plan).dump());
  EXPECT_THAT(back->secrets, IsEmpty());
}

}  // namespace
}  // namespace freehold::control
