#include "model/language.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "model/file.h"
#include "model/schema.h"

namespace freehold::model {
namespace {

using testing::HasSubstr;

std::string explained(std::string_view path) {
  auto found = explain(path);
  if (!found) return "error: " + found.error().message();
  std::string out;
  for (const Explanation& each : *found) out += render(each);
  return out;
}

TEST(Explain, FindsAKeyByItsPathWithAndWithoutTheNamesBetween) {
  std::string every = explained("services.NAME.health.every");
  EXPECT_THAT(every, HasSubstr("how often it is asked"));
  EXPECT_THAT(every, HasSubstr("left out  15s"));
  EXPECT_EQ(explained("services.web.health.every"), every);
  EXPECT_EQ(explained("services.health.every"), every);
  EXPECT_EQ(explained("every"), every);
  EXPECT_THAT(explained("routes.paths.to"), HasSubstr("an upstream outside"));
}

TEST(Explain, ASectionListsItsKeysAndWhatIsNotBuilt) {
  std::string service = explained("services");
  EXPECT_THAT(service, HasSubstr("the command (required)"));
  EXPECT_THAT(service, HasSubstr("Not built yet in this version: image, isolation"));
  EXPECT_THAT(explained(""), HasSubstr("the programs that run"));
}

TEST(Explain, AKeyThatStandsInSeveralPlacesIsToldForEach) {
  std::string secrets = explained("path");
  EXPECT_THAT(secrets, HasSubstr("services.NAME.volumes.NAME.path\n"));
  std::string both = explained("status");
  EXPECT_THAT(both, HasSubstr("routes[].paths.PATTERN.status\n"));
}

TEST(Explain, WhatIsNoKeyGetsTheNearName) {
  EXPECT_THAT(explained("services.web.replica"), HasSubstr("did you mean 'replicas'?"));
  EXPECT_THAT(explained("zzz"), HasSubstr("lists the sections"));
  EXPECT_THAT(explained("services.scale"), HasSubstr("not built yet"));
}

// What the table says holds when a key is left out is what the reader does.
TEST(Language, LeavingAKeyOutMeansWhatTheTableSays) {
  auto written = [](std::string_view title, std::span<const Key> keys, bool with) {
    std::string out = fmt::format("    {}:\n", title);
    size_t count = 0;
    for (const Key& key : keys) {
      if (key.status == Status::kNotBuilt || key.fallback.empty()) continue;
      ++count;
      if (with) out += fmt::format("      {}: {}\n", key.name, key.fallback);
    }
    EXPECT_GT(count, 0u) << title;
    return out;
  };
  auto file = [&](bool with) {
    std::string out = "freehold: 1\nname: coop\n";
    if (with) out += "timezone: UTC\n";
    out += "services:\n  web:\n    run: web --port ${PORT}\n";
    for (const Key& key : kServiceKeys) {
      bool plain = key.shape == Shape::kText || key.shape == Shape::kCount;
      if (with && plain && !key.fallback.empty()) out += fmt::format("    {}: {}\n", key.name, key.fallback);
    }
    if (with)
      out += "    volumes: {data: {writers: one}}\n" + written("stop", kStopKeys, with) +
             written("restart", kRestartKeys, with) + written("deploy", kDeployKeys, with);
    else
      out += "    volumes: {data: }\n";
    out += written("health", kHealthKeys, with) + "      http: /health\n";
    out += "gateway:\n  listen: 8080\n";
    if (with) out += "  cores: 1\n";
    out +=
        fmt::format("routes:\n  - {}paths:\n      \"/*\": {{to: web{}}}\n      \"/old\": {{redirect: /new{}}}\n",
                    with ? "host: \"*\"\n    " : "", with ? ", balance: round-robin" : "", with ? ", status: 308" : "");
    return out;
  };
  auto parse = [](const std::string& text) {
    FileInput input;
    input.path = "freehold.yaml";
    input.load = [&](const std::string&) -> Result<std::string> { return text; };
    input.timezone_exists = [](const std::string&) { return true; };
    return parse_file(input);
  };
  ParsedFile with = parse(file(true)), without = parse(file(false));
  ASSERT_TRUE(with.organisation) << with.diagnostics.format(Colour::kNever) << file(true);
  ASSERT_TRUE(without.organisation) << without.diagnostics.format(Colour::kNever) << file(false);
  EXPECT_EQ(codec::to_json(*with.organisation).dump_pretty(), codec::to_json(*without.organisation).dump_pretty());
}

TEST(Language, EveryBuiltKeyHasAMeaning) {
  auto check = [](auto&& self, std::span<const Key> keys) -> void {
    for (const Key& key : keys) {
      if (key.status == Status::kNotBuilt) continue;
      EXPECT_FALSE(key.meaning.empty()) << key.name;
      EXPECT_TRUE(!key.fallback.empty() || key.need == Need::kRequired || !key.example.empty()) << key.name;
      if (key.shape != Shape::kWord && key.shape != Shape::kNamedWord) self(self, key.keys);
    }
  };
  check(check, kFileKeys);
}

TEST(Language, TheSchemaLeavesOutWhatIsNotBuiltAndRefusesWhatIsUnknown) {
  codec::Json schema = json_schema();
  const codec::Json& service = schema["properties"]["services"]["additionalProperties"]["anyOf"].items()[0];
  EXPECT_TRUE(service["properties"].has("run"));
  EXPECT_FALSE(service["properties"].has("scale"));
  EXPECT_FALSE(service["additionalProperties"].as_bool(true));
  EXPECT_EQ(service["required"].items()[0].as_string(), "run");
}

// docs/user/keys.md is written from the table. UPDATE_GOLDEN=1 writes it anew.
TEST(Language, TheReferenceInDocsIsThisOne) {
  const std::string path = FREEHOLD_SOURCE_DIR "/docs/user/keys.md";
  std::string expected =
      "# Every key of freehold.yaml\n\nWritten from the table that the program reads the file by; "
      "`freehold explain KEY` shows the same.\n[file.md](file.md) explains the language.\n" +
      reference();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << expected;
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), expected);
}

}  // namespace
}  // namespace freehold::model
