#include "leaving/leaving.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "leaving/rich_export.h"
#include "os/disk.h"

namespace freehold::leaving {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string shown(const Departure& departure) {
  std::string out;
  for (const Tree& tree : departure.trees) out += fmt::format("==== {}/ <- {}\n", tree.path, tree.digest);
  for (const TextFile& file : departure.files)
    out += fmt::format("\n==== {} {:o}\n{}", file.path, file.mode, file.text);
  return out;
}

// UPDATE_GOLDEN=1 writes the text instead of comparing it; read the difference before it is committed.
TEST(Leaving, MakesExactlyThisOfAFileThatUsesEveryKey) {
  auto made = export_of_rich(WithSecrets::kNo);
  ASSERT_TRUE(made.ok()) << made.error().message();
  const std::string path = FREEHOLD_SOURCE_DIR "/tests/golden/export/rich.txt";
  os::Disk& disk = os::system_disk();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(disk.write_durably(path, shown(*made), 0644).ok());
    return;
  }
  auto expected = disk.read(path, Bytes{1 << 20});
  ASSERT_TRUE(expected.ok()) << "UPDATE_GOLDEN=1 writes it";
  EXPECT_EQ(shown(*made), *expected);
}

TEST(Leaving, ShowsNoSecretUnlessItIsAsked) {
  auto without = export_of_rich(WithSecrets::kNo);
  ASSERT_TRUE(without.ok());
  EXPECT_THAT(shown(*without), Not(HasSubstr("swordfish")));
  auto with = export_of_rich(WithSecrets::kYes);
  ASSERT_TRUE(with.ok());
  size_t holding = 0;
  for (const TextFile& file : with->files) {
    bool holds = file.text.find("swordfish") != std::string::npos;
    holding += holds ? 1 : 0;
    EXPECT_EQ(file.mode, holds ? 0600u : 0644u) << file.path;
    EXPECT_TRUE(!holds || file.path.starts_with("root/opt/coop/secrets/")) << file.path;
  }
  EXPECT_EQ(holding, 2u) << "one file, and one environment";
  EXPECT_THAT(shown(*with), HasSubstr("COOKIE=\"aswordfish \\\"\\$spareb\"\n"));
}

TEST(Leaving, RefusesMoreInstancesThanThereArePorts) {
  control::Generation generation;
  generation.organisation.name = "coop";
  control::Allocations allocations;
  for (int i = 0; i < 11; ++i) {
    std::string name = fmt::format("web{}", i);
    generation.organisation.services[name] = {.name = name, .run = {"/bin/true"}, .replicas = 1000};
    allocations.addresses[name] = static_cast<uint16_t>(19000 + i);
  }
  auto composed = control::compose(generation, allocations, {});
  ASSERT_TRUE(composed.ok());
  auto made = depart({generation, *composed, {}, "/volumes", {}});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), ErrorCode::kExhausted);
}

TEST(Leaving, GivesAServiceOfALongNameAUserThatCanBeMade) {
  control::Generation generation;
  generation.organisation.name = "an-organisation-of-thirty-nine-letters-a";
  std::string name = "a-service-whose-name-is-long";
  generation.organisation.services[name] = {.name = name, .run = {"/bin/true"}};
  auto composed = control::compose(generation, {{{name, 19000}}}, {});
  ASSERT_TRUE(composed.ok());
  auto made = depart({generation, *composed, {}, "/volumes", {}});
  ASSERT_TRUE(made.ok());
  EXPECT_THAT(shown(*made), testing::ContainsRegex("User=[a-z-]{22}-[0-9a-f]{8}\n"));
}

}  // namespace
}  // namespace freehold::leaving
