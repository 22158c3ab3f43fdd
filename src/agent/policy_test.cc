#include "agent/policy.h"

#include <gtest/gtest.h>

namespace freehold::agent {
namespace {

model::Runtime runtime_as(std::string user) {
  model::Runtime runtime;
  runtime.service = "web";
  runtime.user = std::move(user);
  return runtime;
}

TEST(Policy, OfAnEmptyFileIsTheDefault) {
  auto policy = parse_policy("");
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(policy->ports.first, 20000);
  EXPECT_TRUE(check_allowed(*policy, runtime_as("auto"), "/state/volumes").ok());
}

TEST(Policy, RefusesRootAndUsersThatItDoesNotName) {
  Policy policy;
  EXPECT_EQ(check_allowed(policy, runtime_as("root"), "/v").error().code(), ErrorCode::kDenied);
  EXPECT_EQ(check_allowed(policy, runtime_as("www-data"), "/v").error().code(), ErrorCode::kDenied);
  policy = *parse_policy("root: [web]\nusers: [www-data]\n");
  EXPECT_TRUE(check_allowed(policy, runtime_as("root"), "/v").ok());
  EXPECT_TRUE(check_allowed(policy, runtime_as("www-data"), "/v").ok());
}

TEST(Policy, HoldsVolumesBelowItsRoots) {
  Policy policy;
  auto at = [](const char* path) {
    model::Runtime runtime = runtime_as("auto");
    runtime.volumes = {{.name = "data", .path = path}};
    return runtime;
  };
  EXPECT_TRUE(check_allowed(policy, at("/srv/web"), "/state/volumes").ok());
  EXPECT_TRUE(check_allowed(policy, at("/state/volumes/web/data"), "/state/volumes").ok());
  for (const char* path : {"/", "/etc", "/srv", "/srvx/web", "/srv/../etc", "/srv/web/.."}) {
    EXPECT_FALSE(check_allowed(policy, at(path), "/state/volumes").ok()) << path;
  }
}

TEST(Policy, SaysWhereItIsWrong) {
  EXPECT_EQ(parse_policy("port: 5").error().message(),
            "policy.yaml:1:1: unknown key 'port'; known are ports, volumes, root, users");
  for (const char* text : {"ports: 5", "ports: 9-5", "ports: 0-9", "volumes: /srv", "volumes: [srv]", "- a"})
    EXPECT_FALSE(parse_policy(text).ok()) << text;
}

}  // namespace
}  // namespace freehold::agent
