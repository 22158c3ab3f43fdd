// World: one simulated life of one organisation. Random changes are rolled out on a FakeNode through a network that
// delays, loses and reorders, by a control that dies at any moment, until every rollout has ended.
//
// Everything comes from one seed: the same seed is the same life. Control dies in two ways: after a step that was
// stored (the next one starts from the ledger), and after a step that was not (the step never was). The next one comes
// at once or after a long time, and has heard nothing from the node yet. Time jumps from event to event. Messages: what
// control asks for is sent again until the node answers that it has it; the node's last word always arrives in the end,
// though late words, and words that were heard before, may come before or after it.
#pragma once

#include "control/ledger.h"
#include "fake_node.h"
#include "organisations.h"
#include "rules.h"
#include "store/memory_store.h"

namespace freehold::sim {

struct Faults {
  uint32_t percent_crash = 0;      // per step: control dies after it, stored
  uint32_t percent_lost_step = 0;  // per step: control dies before it is stored
  uint32_t percent_lost = 0;       // per message
  Duration most_delay = std::chrono::milliseconds(50);
  bool reorders = false;
  uint32_t percent_trouble = 0;  // per event: an instance is killed, the agent leaves, the node reboots, gateway slows
};

class World {
 public:
  enum class Story { kNone, kKept };
  World(uint64_t seed, Story story);
  // Lives it. What was broken, with when; empty if nothing was.
  std::vector<std::string> live();
  // What happened, for a person who looks into a failed seed.
  const std::vector<std::string>& story() const { return story_; }
  uint64_t steps() const { return steps_; }
  const std::map<std::string, uint64_t>& outcomes() const { return outcomes_; }

 private:
  struct Letter {
    MonotonicTime due;
    uint64_t number;
    model::NodeObserved observed;
  };

  void choose_faults();
  bool next_operation();
  void roll_out(control::RolloutKind kind, const control::Generation& generation, const control::Overrides& overrides);
  void run_to_its_end();
  void step_control();
  void die();        // and what was in memory with it
  void come_back();  // from what was stored
  void store_step();
  void reread();
  control::Rollout& rollout() { return *ledger_.rollout; }
  control::DesiredState& state() { return ledger_.desired; }
  void cause_trouble();
  void post_desired();
  void post_observed();
  void deliver();
  bool pass_time();
  void tell(std::string text);
  bool chance(uint32_t percent) { return random_.below(100) < percent; }
  control::Now now() const { return {clock_.wall(), clock_.monotonic()}; }

  os::FakeClock clock_;
  os::SeededRandom random_;
  Faults faults_;
  bool calm_ = false;               // no faults but those of bad versions
  bool only_control_dies_ = false;  // which nobody may notice
  bool faults_on_ = true;
  bool waits_for_needs_;
  FakeNode node_;
  Rules rules_;
  OrganisationMaker maker_;

  control::Allocations allocations_;
  control::Overrides overrides_;
  std::vector<control::Generation> generations_;  // those that were current once
  uint64_t numbers_ = 0;
  std::shared_ptr<const control::Composed> current_;
  std::shared_ptr<const control::Composed> target_;
  store::MemoryStore store_;
  control::Ledger ledger_;
  uint64_t rollouts_ = 0;
  model::NodeObserved observed_;
  MonotonicTime wake_{};
  std::optional<MonotonicTime> back_at_;  // control is dead until then
  Duration absent_{};                     // how long it was dead in this rollout
  bool something_new_ = true;
  bool down_comes_ = false;  // the rollout was given up for it

  std::vector<Letter> letters_;
  std::optional<std::pair<MonotonicTime, model::NodeDesired>> order_;
  MonotonicTime repeat_ = MonotonicTime::max();  // when the order or the node's last word is sent again
  bool unheard_ = false;                         // control has not heard the node's last word
  uint64_t letter_numbers_ = 0;
  uint64_t last_read_ = 0;
  uint64_t steps_ = 0;
  bool keeps_story_;
  std::vector<std::string> story_;
  std::map<std::string, uint64_t> outcomes_;
};

}  // namespace freehold::sim
