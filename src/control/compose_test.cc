#include "control/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freehold::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Generation two_services() {
  Generation generation;
  generation.number = 1;
  generation.organisation.name = "coop";
  generation.organisation.services["db"] = {.name = "db", .run = {"./bin/db"}};
  generation.organisation.services["web"] = {.name = "web", .run = {"./bin/web", "${PORT}"}};
  return generation;
}
Allocations addresses() { return {{{"db", 7001}, {"web", 7002}}}; }

TEST(Compose, PutsAddressesInAndLeavesTheRestToTheAgent) {
  Generation generation = two_services();
  model::Service& web = generation.organisation.services["web"];
  web.env["DB"] = "tcp://${service.db.address}/${service.db.address}?${service.db.port}";
  web.run.push_back("--peer=${service.web.address}");
  auto composed = compose(generation, addresses(), {});
  ASSERT_TRUE(composed.ok());
  const model::Runtime& runtime = composed->services.at("web")->spec.runtime;
  EXPECT_EQ(runtime.env.at("DB"), "tcp://127.0.0.1:7001/127.0.0.1:7001?${service.db.port}");
  EXPECT_THAT(runtime.run, ElementsAre("./bin/web", "${PORT}", "--peer=127.0.0.1:7002"));
}

// A program that reads PORT from its environment names it nowhere; its route says that it listens.
TEST(Compose, WaitsForConnectionsOfAServiceThatARouteLeadsTo) {
  Generation generation = two_services();
  auto before = compose(generation, addresses(), {});
  EXPECT_EQ(before->services.at("db")->spec.supervision.health.kind, model::HealthKind::kNone);
  generation.organisation.routes = {{"*", {{.pattern = "/", .prefix = true, .service = "db"}}}};
  auto after = compose(generation, addresses(), {}, &*before);
  EXPECT_EQ(after->services.at("db")->spec.supervision.health.kind, model::HealthKind::kTcp);
  EXPECT_EQ(after->services.at("db")->spec.runtime, before->services.at("db")->spec.runtime);
}

TEST(Compose, SharesUnchangedServicesWithThePreviousGeneration) {
  Generation generation = two_services();
  auto before = compose(generation, addresses(), {});
  ++generation.number;
  generation.organisation.services["web"].env["A"] = "b";
  auto after = compose(generation, addresses(), {}, &*before);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->composed_anew, 1u);
  EXPECT_EQ(after->services.at("db"), before->services.at("db"));
  EXPECT_NE(after->services.at("web")->spec.runtime.fingerprint, before->services.at("web")->spec.runtime.fingerprint);
}

TEST(Compose, ComposesAgainWhenASecretOrAnAddressMovedUnderneath) {
  Generation generation = two_services();
  generation.secret_hashes["key"] = "h1";
  generation.organisation.services["web"].env = {{"KEY", "${secret.key}"}, {"DB", "${service.db.address}"}};
  auto before = compose(generation, addresses(), {});
  ASSERT_TRUE(before.ok());
  generation.secret_hashes["key"] = "h2";
  auto rotated = compose(generation, addresses(), {}, &*before);
  EXPECT_NE(rotated->services.at("web")->spec.runtime.fingerprint,
            before->services.at("web")->spec.runtime.fingerprint);
  Allocations moved = addresses();
  moved.addresses["db"] = 7009;
  auto elsewhere = compose(generation, moved, {}, &*rotated);
  EXPECT_EQ(elsewhere->services.at("web")->spec.runtime.env.at("DB"), "127.0.0.1:7009");
}

TEST(Compose, NamesTheSecretThatHasNoValue) {
  Generation generation = two_services();
  generation.organisation.services["web"].secrets = {{"cookie", model::SecretForm::kFile}};
  auto composed = compose(generation, addresses(), {});
  ASSERT_FALSE(composed.ok());
  EXPECT_THAT(composed.error().message(), HasSubstr("service web: secret cookie has no value"));
}

TEST(Compose, NeverAllowsASecondWriter) {
  Generation generation = two_services();
  generation.organisation.services["db"].volumes = {{"data", "", model::Writers::kOne}};
  Overrides overrides;
  overrides.scale["db"] = {3, "anna", {}};
  EXPECT_EQ(compose(generation, addresses(), overrides)->services.at("db")->spec.replicas, 1u);
  EXPECT_FALSE(check_scale(generation.organisation.services["db"], 2).ok());
  EXPECT_TRUE(check_scale(generation.organisation.services["web"], 2).ok());
}

TEST(Compose, PutsDigestsForFoldersAndKnowsWhoSpeaksHttp) {
  Generation generation = two_services();
  generation.files["./public"] = "ab12";
  model::PathRule files{.pattern = "/static/", .prefix = true, .kind = model::TargetKind::kFiles, .files = "./public"};
  model::PathRule to_web{.pattern = "/", .prefix = true, .service = "web"};
  generation.organisation.routes = {{"coop.example", {files, to_web}}};
  auto composed = compose(generation, addresses(), {});
  ASSERT_TRUE(composed.ok());
  EXPECT_EQ(composed->routing.routes[0].paths[0].files, "ab12");
  EXPECT_EQ(composed->folders.at("ab12"), "./public");
  EXPECT_TRUE(composed->routing.speaks_http.at("web"));
  EXPECT_FALSE(composed->routing.speaks_http.at("db"));
}

TEST(Generation, RefusesAnApplyWhoseBaseMoved) {
  EXPECT_TRUE(check_base(4, 4).ok());
  EXPECT_EQ(check_base(4, 5).error().code(), ErrorCode::kConflict);
}

TEST(Overrides, EndWhereTheFileSpeaksAgain) {
  model::Organisation to = two_services().organisation;
  Overrides overrides;
  overrides.scale["web"] = {5, "anna", {}};
  overrides.restarts["web"] = 3;
  overrides.drained["web.1"] = {"anna", {}};
  overrides.down = AskedBy{"anna", {}};
  Overrides carried = carried_overrides(overrides, to);
  EXPECT_TRUE(carried.scale.empty());
  EXPECT_TRUE(carried.drained.contains("web.1"));
  EXPECT_FALSE(carried.down.has_value());
  EXPECT_EQ(carried.restarts.at("web"), 3u);
  to.services.erase("web");
  EXPECT_TRUE(carried_overrides(overrides, to).drained.empty());
}

}  // namespace
}  // namespace freehold::control
