#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "api/resource.h"
#include "base/text.h"

namespace freehold::api {
namespace {

std::string matched(std::string_view method, std::string_view path) {
  Match match = match_resource(method, path);
  if (match.resource != nullptr) return std::string(match.resource->name);
  return match.allowed.empty() ? "nothing" : "only " + match.allowed;
}

TEST(Resources, AreFoundByMethodAndPath) {
  EXPECT_EQ(matched("GET", "/v1/status"), "getStatus");
  EXPECT_EQ(matched("HEAD", "/v1/status"), "getStatus");
  EXPECT_EQ(matched("POST", "/v1/status"), "only GET, HEAD");
  EXPECT_EQ(matched("HEAD", "/v1/plan"), "only POST");
  EXPECT_EQ(matched("POST", "/v1/services/web/scale"), "scaleService");
  EXPECT_EQ(match_resource("POST", "/v1/services/web/scale").in_path["service"], "web");
  EXPECT_EQ(matched("POST", "/v1/services/web/stop"), "nothing");
  EXPECT_EQ(matched("GET", "/v1/generations/"), "nothing");
  EXPECT_EQ(matched("GET", "/v1/generations/1/2"), "nothing");
  EXPECT_EQ(matched("GET", "/v1"), "nothing");
  EXPECT_EQ(matched("GET", "/"), "nothing");
}

TEST(Resources, APathWithoutBracesGoesBeforeOneWithThem) {
  EXPECT_EQ(matched("POST", "/v1/contents/missing"), "findMissingContents");
  EXPECT_EQ(matched("PUT", "/v1/contents/missing"), "only POST");
  EXPECT_EQ(matched("PUT", "/v1/contents/0123"), "putContent");
}

TEST(Resources, HaveNamesOfTheirOwnAndNoTwoMeanOnePath) {
  std::set<std::string_view> names;
  std::set<std::string> shapes;  // method and path, whatever the braces hold
  for (const Resource& resource : all_resources()) {
    EXPECT_TRUE(names.insert(resource.name).second) << resource.name;
    std::string shape = std::to_string(static_cast<int>(resource.method));
    for (std::string_view part : split(resource.path, '/'))
      shape += part.starts_with('{') ? "/{}" : "/" + std::string(part);
    EXPECT_TRUE(shapes.insert(shape).second) << resource.path;
    EXPECT_FALSE(resource.summary.empty()) << resource.path;
    EXPECT_EQ(resource.stream.run != nullptr || resource.work.gives.media == Media::kLines,
              std::ranges::any_of(resource.parameters, [](const Parameter& one) { return one.name == "follow"; }))
        << resource.path << " goes on, or says so, but not both";
  }
}

TEST(Resources, WhatStandsInBracesIsDescribed) {
  std::set<std::string> described, used;
  for (const InPath& part : kInPath) described.insert("{" + std::string(part.name) + "}");
  for (const Resource& resource : all_resources()) {
    for (std::string_view part : split(resource.path, '/')) {
      if (part.starts_with('{')) used.insert(std::string(part));
    }
  }
  EXPECT_EQ(used, described);
}

std::string read(std::string_view path, std::string_view query) {
  auto read = read_parameters(*match_resource("GET", path).resource, query);
  if (!read) return read.error().message();
  std::string out;
  for (const auto& [name, value] : *read) out += name + "=" + value + ";";
  return out;
}

TEST(Parameters, AreThoseThatTheResourceDeclares) {
  EXPECT_EQ(read("/v1/events", ""), "");
  EXPECT_EQ(read("/v1/events", "?subject=web%2E3&follow=1"), "follow=1;subject=web.3;");
  EXPECT_EQ(read("/v1/events", "?folow=1"), "/v1/events has no parameter 'folow'; did you mean 'follow'?");
  EXPECT_EQ(read("/v1/rollout", "?follow=1"), "/v1/rollout has no parameter 'follow'");
  EXPECT_EQ(read("/v1/events", "?last=1&last=2"), "last is there twice");
  EXPECT_EQ(read("/v1/events", "?subject=%zz"), "the query cannot be read");
  EXPECT_EQ(read("/v1/diff", "?from=1"), "to is missing");
}

TEST(Parameters, AreOfTheirKind) {
  EXPECT_EQ(read("/v1/events", "?after=9223372036854775807"), "after=9223372036854775807;");
  for (std::string_view wrong : {"-1", "x", "", "1e9", "+1", "9223372036854775808"})
    EXPECT_TRUE(read("/v1/events", "?after=" + std::string(wrong)).ends_with("is not a number")) << wrong;
  EXPECT_EQ(read("/v1/events", "?follow=yes"), "follow: it is 0 or 1");
  EXPECT_EQ(read("/v1/logs", "?since=2026-03-01T12:00:00Z"), "since=2026-03-01T12:00:00Z;");
  EXPECT_TRUE(read("/v1/logs", "?since=yesterday").starts_with("since: "));
}

}  // namespace
}  // namespace freehold::api
