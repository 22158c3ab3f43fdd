#include "world.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace freehold::sim {
namespace {

using namespace std::chrono_literals;
using control::Outcome;
using control::RolloutKind;

constexpr MonotonicTime kNever = MonotonicTime::max();
// Each service may use up its deadline on the way there and on the way back, one after the other.
constexpr Duration kPatience = 1h;
constexpr uint64_t kMostSteps = 20'000;

bool is_broken(const control::ServiceSpec& spec) {
  auto behaviour = spec.runtime.env.find("BEHAVIOUR");
  return behaviour != spec.runtime.env.end() && behaviour->second != "good";
}
// All that a ledger keeps of a rollout, as text.
std::string everything_in(const control::LedgerReader& ledger) {
  codec::Json out;
  const control::DesiredState& state = ledger.desired;
  out.set("desired", codec::to_json(state)).set("node", codec::to_json(control::node_desired(state)));
  for (const auto& [service, number] : state.last_numbers)
    out.set("part of " + service, codec::to_json(control::part_of(state, service)));
  const control::Rollout& rollout = *ledger.rollout;
  out.set("rollout", codec::to_json(rollout));
  if (rollout.outcome != Outcome::kRunning) return out.dump();
  for (const control::ServiceRollout& part : rollout.services)
    out.set("rollout of " + part.service, codec::to_json(part));
  if (rollout.routing_to) out.set("to", codec::to_json(*rollout.routing_to));
  if (rollout.routing_from) out.set("from", codec::to_json(*rollout.routing_from));
  return out.dump();
}
bool fails_to_prepare(const control::ServiceSpec& spec) {
  auto prepare = spec.runtime.env.find("PREPARE");
  return prepare != spec.runtime.env.end() && prepare->second == "fail";
}

}  // namespace

World::World(uint64_t seed, Story story)
    : random_(seed),
      calm_(seed % 4 == 0),
      only_control_dies_(seed % 4 == 1),
      waits_for_needs_(random_.below(2) == 0),
      node_(clock_, random_, waits_for_needs_),
      rules_(node_),
      maker_(random_, random_.below(3) == 0 ? 0 : 20),
      ledger_(*control::Ledger::open(store_)),
      keeps_story_(story == Story::kKept) {
  if (!calm_) choose_faults();
  observed_ = node_.observe();
}

void World::choose_faults() {
  if (only_control_dies_) {
    faults_.percent_crash = 20;
    faults_.percent_lost_step = 20;
    return;
  }
  faults_.percent_crash = random_.below(20) == 0 ? 100 : static_cast<uint32_t>(random_.below(10));
  faults_.percent_lost_step = static_cast<uint32_t>(random_.below(20));
  faults_.percent_lost = static_cast<uint32_t>(random_.below(30));
  faults_.most_delay = 1ms + random_.below(3000) * 1ms;
  faults_.reorders = chance(50);
  faults_.percent_trouble = static_cast<uint32_t>(random_.below(6));
}

void World::tell(std::string text) {
  if (keeps_story_)
    story_.push_back(fmt::format(
        "{:10.3f} {}", static_cast<double>(clock_.monotonic().time_since_epoch().count()) / 1e9, std::move(text)));
}

std::vector<std::string> World::live() {
  for (uint64_t i = 0, count = 3 + random_.below(4); i < count && rules_.broken().empty(); ++i) next_operation();
  return rules_.broken();
}

bool World::next_operation() {
  control::Generation generation;
  if (!generations_.empty()) generation = generations_.back();
  generation.parent = generation.number;
  generation.number = numbers_ + 1;
  control::Overrides overrides = overrides_;
  if (std::exchange(down_comes_, false)) {
    overrides.down = control::AskedBy{"anna", clock_.wall()};
    roll_out(RolloutKind::kDown, generations_.empty() ? control::Generation() : generations_.back(), overrides);
    return true;
  }
  uint64_t dice = generations_.empty() ? 0 : random_.below(100);
  std::string service;
  if (!generation.organisation.services.empty()) {
    auto at = generation.organisation.services.begin();
    std::advance(at, random_.below(generation.organisation.services.size()));
    service = at->first;
  }
  RolloutKind kind = RolloutKind::kApply;
  if (dice < 50) {
    if (generations_.empty()) generation.organisation = maker_.first();
    if (!generations_.empty() && !chance(10)) maker_.change(generation.organisation);
  } else if (dice < 62) {
    kind = RolloutKind::kRollback;
    generation.organisation = generations_[random_.below(generations_.size())].organisation;
  } else {
    generation = generations_.back();
    if (dice < 74) {
      kind = RolloutKind::kScale;
      overrides.scale[service] = {static_cast<uint32_t>(random_.below(5)), "anna", clock_.wall()};
    } else if (dice < 82) {
      kind = RolloutKind::kRestart;
      ++overrides.restarts[service];
    } else if (dice < 88) {
      kind = RolloutKind::kDrain;
      if (overrides.drained.erase(service) == 0) overrides.drained[service] = {"anna", clock_.wall()};
    } else if (dice < 94) {
      kind = RolloutKind::kDown;
      overrides.down = control::AskedBy{"anna", clock_.wall()};
    } else {
      kind = RolloutKind::kReconcile;
    }
  }
  if (kind == RolloutKind::kApply || kind == RolloutKind::kRollback) {
    ++numbers_;
    overrides = control::carried_overrides(overrides_, generation.organisation);
  }
  roll_out(kind, generation, overrides);
  return true;
}

void World::roll_out(RolloutKind kind, const control::Generation& generation, const control::Overrides& overrides) {
  give_addresses(generation.organisation, allocations_);
  auto composed = control::compose(generation, allocations_, overrides, current_.get());
  if (!composed) return rules_.broken("composing failed: " + composed.error().message());
  target_ = std::make_shared<const control::Composed>(*std::move(composed));
  control::RolloutStart start;
  start.kind = kind;
  start.target = target_.get();
  start.previous = current_.get();
  start.overrides_from = overrides_;
  start.overrides_to = overrides;
  start.now = now();
  start.id = ++rollouts_;
  ledger_.rollout = control::begin_rollout(start, state());
  store_step();
  rules_.begin(rollout(), state(), *target_, current_.get());
  tell(fmt::format("==== {} to generation {}", enum_names(kind)[static_cast<size_t>(kind)], generation.number));

  bool must_fail = false;
  bool must_work = calm_ || only_control_dies_;
  for (const control::ServiceRollout& part : rollout().services) {
    if (part.to.leaves()) continue;
    const control::ServiceSpec& spec = *part.to.spec;
    bool is_new = true;
    for (const control::PlacedInstance& placed : state().instances[part.service]) {
      if (control::is_wanted(placed) && placed.instance.fingerprint == spec.runtime.fingerprint) is_new = false;
    }
    if (state().instances.at(part.service).empty()) state().instances.erase(part.service);
    auto behaviour = spec.runtime.env.at("BEHAVIOUR");
    if (is_new && behaviour != "good" && behaviour != "flap") must_fail = true;
    if (is_new && kind == RolloutKind::kApply && fails_to_prepare(spec)) must_fail = true;
  }
  for (const auto& [name, service] : target_->services) {
    if (is_broken(service->spec) || fails_to_prepare(service->spec)) must_work = false;
    for (const model::Volume& volume : service->source.volumes) must_work = must_work && volume.name != "shared";
    for (const std::string& need : service->spec.supervision.needs) {
      const control::ServiceSpec& needed = target_->services.at(need)->spec;
      if (waits_for_needs_ && needed.replicas == 0) must_work = false;
    }
  }
  run_to_its_end();
  if (!rules_.broken().empty()) return;
  rules_.check_end(state(), rollout());
  std::string outcome(enum_names(rollout().outcome)[static_cast<size_t>(rollout().outcome)]);
  tell("==== " + outcome + ": " + control::outcome_text(rollout()));
  ++outcomes_[outcome];
  if (must_fail && rollout().outcome == Outcome::kDone) rules_.broken("a broken version ended as done");
  if (must_work && rollout().outcome != Outcome::kDone)
    rules_.broken("nothing went wrong, and yet: " + control::outcome_text(rollout()));
  if (rollout().outcome != Outcome::kDone) return;
  overrides_ = overrides;
  if (generation.number == 0) return;  // everything is down before anything was ever applied to its end
  current_ = target_;
  if (kind == RolloutKind::kApply || kind == RolloutKind::kRollback) generations_.push_back(generation);
}

void World::run_to_its_end() {
  MonotonicTime calm_from = clock_.monotonic() + Duration(random_.below(90) * 1s);
  faults_on_ = !calm_;
  something_new_ = true;
  wake_ = kNever;
  absent_ = {};
  for (uint64_t i = 0; rollout().outcome == Outcome::kRunning && rules_.broken().empty(); ++i) {
    if (clock_.monotonic() >= calm_from) {
      faults_on_ = false;
      node_.set_gateway_delay(50ms);
    }
    if (clock_.monotonic() > calm_from + kPatience + absent_ || i > kMostSteps)
      return rules_.broken("13 end: it has not ended long after the last fault");
    if (back_at_ && *back_at_ <= clock_.monotonic()) come_back();
    bool lives = !back_at_;
    if (lives && (something_new_ || wake_ <= clock_.monotonic())) step_control();
    if (rollout().outcome != Outcome::kRunning) break;
    if (faults_on_ && chance(faults_.percent_trouble)) cause_trouble();
    if (!(lives && something_new_) && !pass_time()) return rules_.broken("13 end: nothing will ever happen any more");
  }
}

void World::step_control() {
  bool lost = faults_on_ && chance(faults_.percent_lost_step);
  control::DesiredState state_before = state();
  something_new_ = false;
  control::StepResult result = control::step(rollout(), state(), observed_, now());
  ++steps_;
  if (lost) {
    reread();
    tell("control dies, and the step never was");
    return die();
  }
  store_step();
  for (const control::RolloutEvent& event : result.events) tell(event.text);
  rules_.check_step(state_before, state(), rollout(), observed_);
  wake_ = result.wake_after ? clock_.monotonic() + *result.wake_after : kNever;
  bool dies = rollout().outcome == Outcome::kRunning && faults_on_ && chance(faults_.percent_crash);
  if (result.changed && !(dies && chance(50))) post_desired();  // written, and dead before the node heard of it
  if (dies) return die();
  if (faults_on_ && !only_control_dies_ && chance(1) && chance(30)) {
    something_new_ = true;
    if (chance(50)) {
      control::request_undo(rollout(), "anna changed her mind");
    } else {
      control::give_up(rollout(), "anna", now());
      down_comes_ = rollout().outcome == Outcome::kUndone;
    }
    store_step();
  }
}

// Most often the next one is there at once. Sometimes it takes longer than any deadline, which nobody may notice: a
// deadline counts the time during which control ran.
void World::die() {
  Duration absence = chance(5) ? Duration(random_.below(3600) * 1s) : Duration(random_.below(500) * 1ms);
  back_at_ = clock_.monotonic() + absence;
  absent_ += absence;
  tell(fmt::format("control is away for {} s", std::chrono::duration_cast<std::chrono::seconds>(absence).count()));
}

void World::store_step() {
  auto written = ledger_.commit({.rollout = true});
  if (!written) return rules_.broken("storing failed: " + written.error().message());
  // Now and then is enough, and many times as fast.
  if (!chance(5)) return;
  auto stored = control::LedgerReader::look(store_);
  if (!stored) return rules_.broken("what was stored cannot be read: " + stored.error().message());
  if (everything_in(*stored) != everything_in(ledger_)) rules_.broken("ledger: what is stored is not what is in force");
}

void World::reread() {
  auto ledger = control::Ledger::open(store_);
  if (!ledger) return rules_.broken("what was stored cannot be read: " + ledger.error().message());
  ledger_ = *std::move(ledger);
}

void World::come_back() {
  reread();
  control::resume(rollout(), now());
  back_at_.reset();
  observed_ = {};
  something_new_ = true;
  // The agent has dialled again: each says where it stands.
  if (!order_ || order_->second.revision != state().revision) post_desired();
  post_observed();
  tell("control is back");
}

void World::cause_trouble() {
  uint64_t dice = random_.below(100);
  if (dice < 60) {
    if (node_.processes().empty()) return;
    auto at = node_.processes().begin();
    std::advance(at, random_.below(node_.processes().size()));
    std::string id = at->first;
    tell("kill -9 " + id);
    node_.kill(id);
    post_observed();
  } else if (dice < 80) {
    tell("the agent leaves");
    node_.leave(Duration(random_.below(20'000) * 1ms));
  } else if (dice < 90) {
    tell("the node reboots");
    node_.reboot(Duration(1s + random_.below(20'000) * 1ms));
    post_observed();
  } else {
    node_.set_gateway_delay(Duration(random_.below(10'000) * 1ms));
  }
}

void World::post_desired() {
  Duration delay = Duration(random_.below(static_cast<uint64_t>(faults_.most_delay.count())));
  order_ = {clock_.monotonic() + delay, control::node_desired(state())};
  repeat_ = std::min(repeat_, clock_.monotonic() + 3s);
}

void World::post_observed() {
  unheard_ = !node_.present() || (faults_on_ && chance(faults_.percent_lost));
  if (unheard_) {
    repeat_ = std::min(repeat_, clock_.monotonic() + 3s);
    return;
  }
  MonotonicTime due = clock_.monotonic() + Duration(random_.below(static_cast<uint64_t>(faults_.most_delay.count())));
  if (!faults_.reorders && !letters_.empty()) due = std::max(due, letters_.back().due);
  letters_.push_back({due, ++letter_numbers_, node_.observe()});
  // The same once more, later: it may be older by then than what control has heard meanwhile.
  if (faults_on_ && faults_.reorders && chance(10)) {
    Letter again = letters_.back();
    again.due += Duration(random_.below(5000) * 1ms);
    letters_.push_back(std::move(again));
  }
}

void World::deliver() {
  MonotonicTime time = clock_.monotonic();
  if (order_ && order_->first <= time) {
    bool lost = faults_on_ && chance(faults_.percent_lost);
    if (!lost && node_.present()) {
      for (const std::string& orphan : node_.obey(order_->second))
        rules_.broken("12 orphan: " + orphan + " is alive and not mentioned");
      post_observed();
    }
    order_.reset();
  }
  for (size_t i = 0; i < letters_.size();) {
    if (letters_[i].due > time) {
      ++i;
      continue;
    }
    if (back_at_) {
      unheard_ = true;  // nobody reads it
    } else {
      if (letters_[i].number < last_read_) unheard_ = true;  // a late one is believed until the node is heard again
      observed_ = std::move(letters_[i].observed);
      last_read_ = std::max(last_read_, letters_[i].number);
      something_new_ = true;
    }
    letters_.erase(letters_.begin() + static_cast<int64_t>(i));
    break;
  }
  if (unheard_) repeat_ = std::min(repeat_, time + 3s);
  if (repeat_ > time) return;
  repeat_ = kNever;
  if (!back_at_ && node_.stored().revision < state().revision) {
    repeat_ = time + 3s;
    if (!order_) post_desired();
  }
  if (unheard_) post_observed();
}

bool World::pass_time() {
  MonotonicTime next = std::min(back_at_.value_or(wake_), node_.next());
  if (order_) next = std::min(next, order_->first);
  for (const Letter& letter : letters_) next = std::min(next, letter.due);
  next = std::min(next, repeat_);
  if (next == kNever) return false;
  clock_.advance(std::max(next - clock_.monotonic(), Duration::zero()));
  if (node_.advance()) {
    rules_.check_node();
    post_observed();
  }
  deliver();  // new processes only wait: nothing to check before they start
  return true;
}

}  // namespace freehold::sim
