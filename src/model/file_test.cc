#include "model/file.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "model/schema.h"

namespace freehold::model {
namespace {

using testing::HasSubstr;
using testing::Not;

// Files in memory, an environment in memory.
struct World {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> environment;

  FileInput input(std::string path) {
    FileInput input;
    input.path = std::move(path);
    input.load = [this](const std::string& name) -> Result<std::string> {
      auto found = files.find(name);
      if (found == files.end()) return Error(ErrorCode::kNotFound, name + ": No such file or directory");
      return found->second;
    };
    input.environment = [this](const std::string& name) -> std::optional<std::string> {
      auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
    return input;
  }
};

std::string said(const ParsedFile& file) { return file.diagnostics.format(Colour::kNever); }

ParsedFile parse_text(std::string text) {
  World world{{{"freehold.yaml", std::move(text)}}, {}};
  return parse_file(world.input("freehold.yaml"));
}

constexpr std::string_view kHead = "freehold: 1\nname: coop\n";

TEST(File, GivesTheSameFromWhatItReturns) {
  World disk;
  disk.files["/srv/coop/freehold.yaml"] =
      std::string(kHead) + "include: [parts/web.yaml]\nsecrets: {store: ../secrets.yaml}\n";
  disk.files["/srv/coop/parts/web.yaml"] =
      "services:\n  web:\n    run: ./bin/web ${env.MODE}\n    env: {KEY: \"${secret.key}\"}\n";
  disk.files["/srv/coop/../secrets.yaml"] = "key: hunter2\nother: hunter2\n";
  disk.environment = {{"MODE", "fast $mode"}, {"UNUSED", "x"}};
  FileInput input = disk.input("/srv/coop/freehold.yaml");
  input.load_secrets = input.load;
  ParsedFile first = parse_file(input);
  ASSERT_TRUE(first.organisation) << said(first);
  EXPECT_EQ(first.organisation->services.at("web").run, (std::vector<std::string>{"./parts/bin/web", "fast $$mode"}));
  EXPECT_EQ(first.secrets.at("key"), "hunter2");
  EXPECT_THAT(first.secrets_used, testing::ElementsAre("key"));
  EXPECT_THAT(first.environment, testing::ElementsAre(testing::Pair("MODE", "fast $mode")));
  ASSERT_EQ(first.sources.size(), 2u);

  World control;
  for (const SourceFile& source : first.sources) {
    EXPECT_THAT(source.text, Not(HasSubstr("hunter2")));
    control.files[source.path] = source.text;
  }
  control.environment = first.environment;
  FileInput again = control.input(first.sources[0].path);
  again.secret_names = {{"key"}};
  ParsedFile second = parse_file(again);
  ASSERT_TRUE(second.organisation) << said(second);
  EXPECT_EQ(*second.organisation, *first.organisation);
  EXPECT_EQ(codec::to_json(*second.organisation), codec::to_json(*first.organisation));
  auto from_json = codec::from_json<Organisation>(codec::to_json(*first.organisation));
  ASSERT_TRUE(from_json.ok());
  EXPECT_EQ(*from_json, *first.organisation);
}

TEST(File, ChecksSecretNamesGivenByTheCaller) {
  World world{{{"f.yaml", std::string(kHead) + "secrets: {store: s.yaml}\nservices: {web: {run: /bin/true, secrets: "
                                               "{key: file}}}\n"}},
              {}};
  FileInput input = world.input("f.yaml");
  EXPECT_TRUE(parse_file(input).organisation);
  input.secret_names.emplace();
  EXPECT_THAT(said(parse_file(input)), HasSubstr("there is no secret 'key' in the store"));
}

TEST(File, SaysWhenItCannotBeRead) {
  World world;
  EXPECT_EQ(said(parse_file(world.input("conf/freehold.yaml"))),
            "conf/freehold.yaml: error: conf/freehold.yaml: No such file or directory\n");
}

TEST(File, NamesFilesAsTheirUserDid) {
  World world{{{"conf/freehold.yaml", "freehold: 1\nname: coop\ninclude: [a/b.yaml]\n"}, {"conf/a/b.yaml", "zebra: 1"}},
              {}};
  EXPECT_THAT(said(parse_file(world.input("conf/freehold.yaml"))), testing::StartsWith("conf/a/b.yaml:1:1: error:"));
}

TEST(File, RefusesTooMuch) {
  EXPECT_THAT(said(parse_text(std::string(5 << 20, '#'))), HasSubstr("over the limit of 4194304"));
  std::string line = std::string(kHead) + "services: {web: {run: /bin/true, env: {A: '" + std::string(1 << 20, 'x') +
                     "'}, zebra: 1}}\n";
  std::string told = said(parse_text(line));
  EXPECT_THAT(told, HasSubstr("unknown key 'zebra'"));
  EXPECT_LT(told.size(), 1000u);
  std::string wrong(kHead);
  for (int i = 0; i < 50'000; ++i) wrong += fmt::format("zebra{}: 1\n", i);
  ParsedFile many = parse_text(wrong);
  EXPECT_EQ(many.diagnostics.items().size(), Diagnostics::kMost);
  EXPECT_THAT(said(many), HasSubstr(" more\n"));
}

TEST(File, BoundsIncludes) {
  World world;
  world.files["f0.yaml"] = std::string(kHead) + "include: [f1.yaml]\n";
  for (int i = 1; i < 20; ++i) world.files[fmt::format("f{}.yaml", i)] = fmt::format("include: [f{}.yaml]\n", i + 1);
  EXPECT_THAT(said(parse_file(world.input("f0.yaml"))), HasSubstr("includes deeper than 8"));
  World wide;
  wide.files["f.yaml"] = std::string(kHead) + "include:\n";
  for (int i = 0; i < 300; ++i) {
    wide.files["f.yaml"] += fmt::format("  - i{}.yaml\n", i);
    wide.files[fmt::format("i{}.yaml", i)] = "services: {}\n";
  }
  EXPECT_THAT(said(parse_file(wide.input("f.yaml"))), HasSubstr("more than 256 files"));
}

TEST(File, NeverShowsAValueOfTheEnvironment) {
  World world{{{"f.yaml", std::string(kHead) + "services: {web: {run: [./a, \"./${env.X}\", \"${env.Y}\"]}}\n"}},
              {{"X", "../../hunter2"}, {"Y", std::string("hunter2\0", 8)}}};
  std::string told = said(parse_file(world.input("f.yaml")));
  EXPECT_THAT(told, HasSubstr("leads out of the folder"));
  EXPECT_THAT(told, HasSubstr("zero byte"));
  EXPECT_THAT(told, Not(HasSubstr("hunter2")));
}

TEST(File, SaysOnlyNotBuiltYetOfWhatIsPlanned) {
  std::ifstream file(FREEHOLD_SOURCE_DIR "/tests/golden/file/later-everything.yaml");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  ParsedFile parsed = parse_text(text);
  for (const Diagnostic& diagnostic : parsed.diagnostics.items()) {
    EXPECT_THAT(diagnostic.message, HasSubstr("not built yet in this version"));
  }
  // And the case has each of them.
  std::string told = said(parsed);
  auto check = [&](std::span<const Key> keys) {
    for (const Key& key : keys) {
      if (key.status == Status::kBuilt) continue;
      EXPECT_THAT(told, HasSubstr(fmt::format("error: '{}' in", key.name)));
    }
  };
  check(kFileKeys);
  check(kServiceKeys);
  check(kVolumeKeys);
  check(kRouteKeys);
  check(kPathKeys);
  check(kGatewayKeys);
  check(kListenKeys);
  check(kSecretsKeys);
  check(kStrategies);
  check(kBalances);
}

TEST(File, ReadsTenThousandServices) {
  std::string text = std::string(kHead) + "services:\n";
  for (int i = 0; i < 10'000; ++i) {
    text += fmt::format("  s{}: {{run: ./bin/s --port $, replicas: 3", i);
    if (i > 0) text += fmt::format(", needs: [s{}]", i - 1);
    text += "}\n";
  }
  ParsedFile parsed = parse_text(text);
  ASSERT_TRUE(parsed.organisation) << said(parsed).substr(0, 1000);
  EXPECT_EQ(parsed.organisation->services.size(), 10'000u);
}

}  // namespace
}  // namespace freehold::model
