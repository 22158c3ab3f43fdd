// Holds the three places together that say what a change costs: key_rules.cc, the fingerprint, and the users' table.
#include "control/key_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>

namespace freehold::control {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Case {
  std::string key;
  std::function<void(model::Service&)> change;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"run", [](model::Service& s) { s.run.push_back("--x"); }},
      {"prepare", [](model::Service& s) { s.prepare = {"./bin/migrate"}; }},
      {"user", [](model::Service& s) { s.user = "root"; }},
      {"env.A", [](model::Service& s) { s.env["A"] = "b"; }},
      {"secrets.key", [](model::Service& s) { s.secrets = {{"key", model::SecretForm::kFile}}; }},
      {"limits.cpu", [](model::Service& s) { s.limits.cpu = 1.5; }},
      {"limits.memory", [](model::Service& s) { s.limits.memory = Bytes{1 << 20}; }},
      {"limits.pids", [](model::Service& s) { s.limits.pids = 10; }},
      {"limits.files", [](model::Service& s) { s.limits.files = 10; }},
      {"volumes.data", [](model::Service& s) { s.volumes = {{"data", "", model::Writers::kMany}}; }},
      {"listen", [](model::Service& s) { s.listen = model::Listening::kSockets; }},
      {"replicas", [](model::Service& s) { s.replicas = 4; }},
      {"health", [](model::Service& s) { s.health.kind = model::HealthKind::kTcp; }},
      {"health.every", [](model::Service& s) { s.health.every = 1s; }},
      {"health.timeout", [](model::Service& s) { s.health.timeout = 1s; }},
      {"health.start", [](model::Service& s) { s.health.start = 1s; }},
      {"health.healthy_after", [](model::Service& s) { s.health.healthy_after = 9; }},
      {"health.unhealthy_after", [](model::Service& s) { s.health.unhealthy_after = 9; }},
      {"stop.signal", [](model::Service& s) { s.stop.signal = 2; }},
      {"stop.grace", [](model::Service& s) { s.stop.grace = 1s; }},
      {"restart.backoff", [](model::Service& s) { s.restart.backoff = 3s; }},
      {"restart.most", [](model::Service& s) { s.restart.most = 3s; }},
      {"restart.crash_loop", [](model::Service& s) { s.restart.crash_loop.count = 9; }},
      {"needs", [](model::Service& s) { s.needs = {"db"}; }},
      {"deploy.drain", [](model::Service& s) { s.deploy.drain = 1s; }},
      {"deploy.batch", [](model::Service& s) { s.deploy.batch = 2; }},
      {"deploy.deadline", [](model::Service& s) { s.deploy.deadline = 1s; }},
      {"deploy.on_failure", [](model::Service& s) { s.deploy.on_failure = model::OnFailure::kHold; }},
  };
  return all;
}

Composed composed(const std::function<void(model::Service&)>& change, const std::string& release = "") {
  Generation generation;
  generation.number = 1;
  generation.secret_hashes["key"] = "the keyed hash";
  generation.releases["web"] = release;
  model::Service web{.name = "web", .run = {"./bin/web"}};
  if (change) change(web);
  generation.organisation.services["web"] = web;
  return *compose(generation, {{{"web", 7001}}}, {});
}

TEST(KeyRules, FingerprintChangesForExactlyTheKeysThatSayReplace) {
  Composed before = composed(nullptr);
  for (const Case& one : cases()) {
    Composed after = composed(one.change);
    const ComposedService& old_service = *before.services.at("web");
    const ComposedService& new_service = *after.services.at("web");
    std::vector<KeyChange> changes = changed_keys(old_service, new_service);
    ASSERT_EQ(changes.size(), 1u) << one.key;
    EXPECT_EQ(changes[0].key, one.key);
    bool replaces = old_service.spec.runtime.fingerprint != new_service.spec.runtime.fingerprint;
    EXPECT_EQ(replaces, changes[0].effect == Effect::kReplace) << one.key;
    bool supervised = old_service.spec.supervision != new_service.spec.supervision;
    EXPECT_EQ(supervised, changes[0].effect == Effect::kInPlace) << one.key;
  }
}

TEST(KeyRules, EveryKeyThatIsDescribedHasACase) {
  std::set<std::string> covered = {"contents", "restart asked for", "drained"};
  for (const Case& one : cases()) covered.insert(one.key);
  Composed some = composed(nullptr);
  for (const KeyValue& key : describe(*some.services.at("web"))) EXPECT_TRUE(covered.contains(key.key)) << key.key;
}

TEST(KeyRules, ContentsReplace) {
  Composed before = composed(nullptr, "aaaa");
  Composed after = composed(nullptr, "bbbb");
  std::vector<KeyChange> changes = changed_keys(*before.services.at("web"), *after.services.at("web"));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0], (KeyChange{"contents", "aaaa", "bbbb", Effect::kReplace}));
}

TEST(KeyRules, TellsThatASecretChangedAndNothingOfIt) {
  Composed before = composed([](model::Service& s) { s.secrets = {{"key", model::SecretForm::kFile}}; });
  ComposedService after = *before.services.at("web");
  after.spec.runtime.secret_hashes["key"] = "another keyed hash";
  std::vector<KeyChange> changes = changed_keys(*before.services.at("web"), after);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0], (KeyChange{"value of secret key", "", "new value", Effect::kReplace}));
}

TEST(KeyRules, AreWhatTheUsersTableSays) {
  std::ifstream file(FREEHOLD_SOURCE_DIR "/docs/user/deploys.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const Case& one : cases()) {
    Composed before = composed(nullptr);
    Composed after = composed(one.change);
    KeyChange change = changed_keys(*before.services.at("web"), *after.services.at("web")).at(0);
    std::string key = one.key == "env.A" ? "env" : one.key == "secrets.key" ? "secrets" : one.key;
    if (key == "volumes.data") key = "volumes";
    std::string effect(enum_names(change.effect)[static_cast<size_t>(change.effect)]);
    EXPECT_THAT(text.str(), HasSubstr("| `" + key + "` | " + effect + " |"));
  }
}

}  // namespace
}  // namespace freehold::control
