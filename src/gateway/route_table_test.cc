#include "gateway/route_table.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <random>

namespace freehold::gateway {
namespace {

model::PathRule rule(std::string pattern, std::string name) {
  model::PathRule made;
  made.prefix = pattern.ends_with("*");
  if (made.prefix) pattern.pop_back();
  made.pattern = std::move(pattern);
  made.kind = model::TargetKind::kRedirect;  // carries a name without needing a pool
  made.redirect = std::move(name);
  return made;
}

std::string find(const RouteTable& table, std::string_view host, std::string_view path) {
  const Target* target = table.find(host, path);
  return target == nullptr ? "" : target->redirect;
}

TEST(RouteTable, PrefersExactHostThenWildcardThenDefault) {
  model::GatewaySnapshot snapshot;
  snapshot.routing.routes = {
      {"a.example", {rule("/*", "exact")}}, {"*.example", {rule("/*", "wild")}}, {"", {rule("/*", "default")}}};
  auto table = RouteTable::compile(snapshot);
  EXPECT_EQ(find(*table, "a.example", "/"), "exact");
  EXPECT_EQ(find(*table, "A.Example:8080", "/"), "exact");
  EXPECT_EQ(find(*table, "a.example.", "/"), "exact");
  EXPECT_EQ(find(*table, "b.example", "/"), "wild");
  EXPECT_EQ(find(*table, "c.b.example", "/"), "default");
  EXPECT_EQ(find(*table, "example", "/"), "default");
  EXPECT_EQ(find(*table, "[::1]:80", "/"), "default");
  EXPECT_EQ(find(*table, "", "/"), "default");
  EXPECT_EQ(find(*table, std::string(300, 'x'), "/"), "default");
}

TEST(RouteTable, PrefersTheLongestPattern) {
  model::GatewaySnapshot snapshot;
  snapshot.routing.routes = {
      {"",
       {rule("/*", "root"), rule("/api/*", "api"), rule("/api/v1/*", "v1"), rule("/api", "exact"), rule("/b", "b")}}};
  auto table = RouteTable::compile(snapshot);
  EXPECT_EQ(find(*table, "h", "/"), "root");
  EXPECT_EQ(find(*table, "h", "/api"), "exact");
  EXPECT_EQ(find(*table, "h", "/api/"), "api");
  EXPECT_EQ(find(*table, "h", "/api/v1"), "v1");
  EXPECT_EQ(find(*table, "h", "/api/v1/x"), "v1");
  EXPECT_EQ(find(*table, "h", "/api/v2"), "api");
  EXPECT_EQ(find(*table, "h", "/apiary"), "root");
  EXPECT_EQ(find(*table, "h", "/b"), "b");
  EXPECT_EQ(find(*table, "h", "/b/"), "root");
}

TEST(RouteTable, APrefixMatchesItsFolderWithoutTheSlash) {
  model::GatewaySnapshot snapshot;
  snapshot.routing.routes = {{"", {rule("/api/*", "api")}}};
  auto table = RouteTable::compile(snapshot);
  EXPECT_EQ(find(*table, "h", "/api"), "api");
  EXPECT_EQ(find(*table, "h", "/ap"), "");
  EXPECT_EQ(find(*table, "h", "/"), "");
}

// The rule as the file's documentation states it, tried on every pattern.
std::string naive(const std::vector<model::PathRule>& rules, const std::string& path) {
  const model::PathRule* best = nullptr;
  for (const model::PathRule& candidate : rules) {
    if (!candidate.prefix && candidate.pattern == path) return candidate.redirect;
    if (candidate.prefix && (path + "/").starts_with(candidate.pattern) &&
        (best == nullptr || candidate.pattern.size() > best->pattern.size())) {
      best = &candidate;
    }
  }
  return best == nullptr ? "" : best->redirect;
}

TEST(RouteTable, AgreesWithTryingEveryPattern) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  auto make_path = [&random] {
    std::string path;
    for (size_t depth = random() % 5; depth > 0; --depth) {
      path += '/';
      for (size_t letters = 1 + random() % 2; letters > 0; --letters) path += "ab-0"[random() % 4];
    }
    return path.empty() ? "/" : path;
  };
  for (int round = 0; round < 200; ++round) {
    std::map<std::string, model::PathRule> rules;
    for (size_t i = 0; i < random() % 40; ++i) {
      std::string path = make_path();
      if (random() % 2 == 0) path += path == "/" ? "*" : "/*";
      rules.emplace(path, rule(path, path));
    }
    model::GatewaySnapshot snapshot;
    snapshot.routing.routes.push_back({"", {}});
    for (auto& [pattern, made] : rules) snapshot.routing.routes[0].paths.push_back(made);
    auto table = RouteTable::compile(snapshot);
    for (int i = 0; i < 100; ++i) {
      const std::string path = make_path() + (random() % 4 == 0 ? "/" : "");
      if (path.starts_with("//")) continue;
      ASSERT_EQ(find(*table, "h", path), naive(snapshot.routing.routes[0].paths, path)) << path;
    }
  }
}

TEST(RouteTable, SharesAPoolBetweenTheRoutesOfAService) {
  model::GatewaySnapshot snapshot;
  model::PathRule to_web{.pattern = "/", .prefix = true, .service = "web"};
  model::PathRule outside{.pattern = "/o", .kind = model::TargetKind::kUpstreams, .upstreams = {{"10.0.0.9", 80, 2}}};
  snapshot.routing.routes = {{"a", {to_web}}, {"b", {to_web, outside}}};
  snapshot.routing.addresses["web"] = 4000;
  snapshot.endpoints["web"] = {{"web.1", 5000}};
  auto table = RouteTable::compile(snapshot);
  ASSERT_EQ(table->pools().size(), 2U);
  EXPECT_EQ(table->find("a", "/")->pool, table->find("b", "/x")->pool);
  EXPECT_EQ(table->internal("web")->pool, table->find("a", "/")->pool);
  EXPECT_EQ(table->pools()[table->find("b", "/o")->pool].name, "10.0.0.9:80*2");
}

}  // namespace
}  // namespace freehold::gateway
