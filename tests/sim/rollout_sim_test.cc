// Thousands of simulated lives against the rules in rules.h.
//
//   FREEHOLD_SIM_SEEDS=20000 rollout_sim_test     more lives (default 2000)
//   FREEHOLD_SIM_SEED=1234 rollout_sim_test       one life again, with all that happened in it
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "world.h"

namespace freehold::sim {
namespace {

constexpr uint64_t kDefaultSeeds = 2000;
constexpr size_t kStoryShown = 120;

uint64_t number_from(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

void report(uint64_t seed, const std::vector<std::string>& broken) {
  World again(seed, World::Story::kKept);
  (void)again.live();
  const std::vector<std::string>& story = again.story();
  std::string text;
  for (size_t i = story.size() > kStoryShown ? story.size() - kStoryShown : 0; i < story.size(); ++i)
    text += story[i] + "\n";
  for (const std::string& what : broken) text += "BROKEN: " + what + "\n";
  ADD_FAILURE() << "seed " << seed << " (again: FREEHOLD_SIM_SEED=" << seed << ")\n" << text;
}

TEST(RolloutSimulation, KeepsItsRulesThroughEveryFault) {
  uint64_t only = number_from("FREEHOLD_SIM_SEED", 0);
  uint64_t first = only != 0 ? only : 1;
  uint64_t last = only != 0 ? only : number_from("FREEHOLD_SIM_SEEDS", kDefaultSeeds);
  std::map<std::string, uint64_t> outcomes;
  uint64_t steps = 0;
  for (uint64_t seed = first; seed <= last && !HasFailure(); ++seed) {
    World world(seed, World::Story::kNone);
    std::vector<std::string> broken = world.live();
    steps += world.steps();
    for (const auto& [outcome, count] : world.outcomes()) outcomes[outcome] += count;
    if (!broken.empty()) report(seed, broken);
    if (only != 0 && broken.empty()) fmt::print("seed {} broke no rule\n", seed);
  }
  std::string text;
  for (const auto& [outcome, count] : outcomes) text += fmt::format(", {} {}", count, outcome);
  fmt::print("seeds {} to {}: {} steps{}\n", first, last, steps, text);
  if (only != 0) return;
  // A simulation in which nothing fails, or nothing works, shows nothing.
  for (const char* outcome : {"done", "undone", "failed"}) EXPECT_GT(outcomes[outcome], 0u) << outcome;
}

}  // namespace
}  // namespace freehold::sim
