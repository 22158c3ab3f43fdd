#include "rules.h"

#include <fmt/core.h>

#include <algorithm>

#include "control/writers.h"

namespace freehold::sim {
namespace {

using control::Composed;
using control::DesiredState;
using control::Direction;
using control::PlacedInstance;
using control::Rollout;
using control::ServiceRollout;
using control::ServiceSpec;
using control::Stage;
using model::Wanted;

const ServiceSpec* spec_of(const Composed* composed, const std::string& service) {
  if (composed == nullptr) return nullptr;
  auto found = composed->services.find(service);
  return found == composed->services.end() ? nullptr : &found->second->spec;
}

const std::vector<PlacedInstance>& list_of(const DesiredState& state, const std::string& service) {
  static const std::vector<PlacedInstance> none;
  auto found = state.instances.find(service);
  return found == state.instances.end() ? none : found->second;
}

const PlacedInstance* find(const std::vector<PlacedInstance>& list, const std::string& id) {
  for (const PlacedInstance& placed : list) {
    if (placed.instance.id == id) return &placed;
  }
  return nullptr;
}

const ServiceRollout* part_of(const Rollout& rollout, const std::string& service) {
  for (const ServiceRollout& part : rollout.services) {
    if (part.service == service) return &part;
  }
  return nullptr;
}

bool share_a_writer(const model::Runtime& a, const model::Runtime& b) {
  for (const std::string& key : control::writer_keys(a)) {
    for (const std::string& other : control::writer_keys(b)) {
      if (key == other) return true;
    }
  }
  return false;
}

bool names(const model::Routing& routing, const std::string& service) {
  for (const model::Route& route : routing.routes) {
    for (const model::PathRule& rule : route.paths) {
      if (rule.service == service) return true;
    }
  }
  return false;
}

}  // namespace

void Rules::begin(const Rollout& rollout, const DesiredState& state, const Composed& target, const Composed* previous) {
  target_ = &target;
  previous_ = previous;
  kind_ = rollout.kind;
  expectations_.clear();
  prepared_by_.clear();
  for (const ServiceRollout& part : rollout.services) {
    const ServiceSpec* to = spec_of(target_, part.service);
    const ServiceSpec* from = spec_of(previous_, part.service);
    Expectation& expectation = expectations_[part.service];
    bool rolls = to != nullptr && from != nullptr && !share_a_writer(to->runtime, from->runtime);
    if (rolls && !to->idle && !from->idle) expectation.promised = std::min(to->replicas, from->replicas);
    auto wanted = static_cast<uint32_t>(
        std::count_if(list_of(state, part.service).begin(), list_of(state, part.service).end(), control::is_wanted));
    uint32_t batch = 1;
    expectation.most = wanted;
    for (const ServiceSpec* spec : {to, from}) {
      if (spec == nullptr) continue;
      expectation.most = std::max(expectation.most, spec->replicas);
      batch = std::max(batch, spec->deploy.batch);
    }
    if (from == nullptr || from->replicas == 0) batch = expectation.most;  // nothing to protect: all at once
    expectation.most += batch;
  }
}

void Rules::check_promise(const std::string& service, const std::vector<PlacedInstance>& before,
                          const std::vector<PlacedInstance>& after, const model::NodeObserved& observed) {
  auto seen_up = [&](const std::string& id) {
    for (const model::ObservedInstance& instance : observed.instances) {
      if (instance.id == id) return instance.state == model::InstanceState::kHealthy && instance.serving;
    }
    return false;
  };
  auto truly_up = [&](const std::string& id) {
    auto found = node_.processes().find(id);
    return found != node_.processes().end() && found->second.serves();
  };
  uint32_t promised = expectations_.contains(service) ? expectations_.at(service).promised : 0;
  uint32_t seen = 0;
  uint32_t true_before = 0;
  uint32_t true_after = 0;
  uint32_t failed_since = 0;
  bool stopped_one_that_serves = false;
  for (const PlacedInstance& placed : before) {
    if (!control::is_wanted(placed)) continue;
    const std::string& id = placed.instance.id;
    if (truly_up(id) && seen_up(id)) ++true_before;  // what is news to control is no loss of its making
    const PlacedInstance* now = find(after, id);
    if (now != nullptr && control::is_wanted(*now)) {
      if (truly_up(id)) ++true_after;
      if (seen_up(id)) ++seen;
      if (seen_up(id) && !truly_up(id)) ++failed_since;
    } else if (seen_up(id)) {
      stopped_one_that_serves = true;
    }
  }
  if (stopped_one_that_serves && seen < promised)
    broken(fmt::format("1 promise: {} was left with {} of {} that are seen to serve", service, seen, promised));
  if (true_after + failed_since < std::min(promised, true_before)) {
    broken(fmt::format("1 promise: {} had {} that serve, promised {}, and was left with {}", service, true_before,
                       promised, true_after));
  }
}

void Rules::check_names(const DesiredState& after) {
  for (const auto& [service, list] : after.instances) {
    for (const PlacedInstance& placed : list) {
      auto [at, is_new] = ever_.try_emplace(placed.instance.id, placed.instance);
      if (at->second.fingerprint != placed.instance.fingerprint)
        broken(fmt::format("3 names: {} changed its fingerprint", placed.instance.id));
      if (!is_new && at->second.wanted == Wanted::kStopped && placed.instance.wanted != Wanted::kStopped)
        broken(fmt::format("3 names: {} was to stop and shall run again", placed.instance.id));
      at->second = placed.instance;
    }
  }
}

void Rules::check_books(const DesiredState& after) {
  std::set<std::string> used;
  for (const auto& [service, list] : after.instances) {
    for (const PlacedInstance& placed : list) {
      used.insert(placed.instance.fingerprint);
      if (!after.runtimes.contains(placed.instance.fingerprint))
        broken(fmt::format("4 books: {} has no runtime", placed.instance.id));
    }
  }
  if (used.size() != after.runtimes.size()) broken("4 books: a runtime is kept without an instance");
}

bool Rules::is_complete(const ServiceRollout& part, const ServiceSpec& spec, const DesiredState& state) const {
  uint32_t count = 0;
  for (const PlacedInstance& placed : list_of(state, part.service)) {
    if (!control::is_wanted(placed) || placed.instance.fingerprint != spec.runtime.fingerprint) continue;
    if (part.fresh.contains(placed.instance.id) && !node_.proven().contains(placed.instance.id)) return false;
    ++count;
  }
  return count >= spec.replicas;
}

void Rules::check_started(const PlacedInstance& placed, const DesiredState& after, const Rollout& rollout) {
  const model::DesiredInstance& instance = placed.instance;
  if (instance.wanted == Wanted::kOnce) {
    if (kind_ != control::RolloutKind::kApply || !prepared_by_.emplace(instance.service, instance.id).second)
      broken(fmt::format("6 prepare: {} prepares without reason", instance.id));
    return;
  }
  auto prepared = prepared_by_.find(instance.service);
  bool forward = rollout.direction == Direction::kForward;
  if (forward && prepared != prepared_by_.end() && !node_.proven().contains(prepared->second))
    broken(fmt::format("6 prepare: {} starts before {} has prepared it", instance.id, prepared->second));
  const Composed* goal = forward ? target_ : previous_;
  const ServiceSpec* spec = spec_of(goal, instance.service);
  if (spec == nullptr || spec->runtime.fingerprint != instance.fingerprint) {
    broken(fmt::format("5 order: {} starts, but not of the version that is wanted", instance.id));
    return;
  }
  for (const std::string& need : spec->supervision.needs) {
    const ServiceRollout* part = part_of(rollout, need);
    const ServiceSpec* needed = spec_of(goal, need);
    if (part == nullptr || part->stage == Stage::kStuck || needed == nullptr) continue;
    if (!is_complete(*part, *needed, after))
      broken(fmt::format("5 order: {} starts before {}, which it needs", instance.id, need));
  }
}

void Rules::check_stopped(const std::string& service, const Rollout& rollout) {
  const ServiceRollout* part = part_of(rollout, service);
  if (part == nullptr) return;
  bool forward = rollout.direction == Direction::kForward;
  const control::Leg& leg = forward ? part->to : part->from;
  if (!leg.leaves() || leg.early) return;
  const Composed* goal = forward ? target_ : previous_;
  const Composed* origin = forward ? previous_ : target_;
  if (goal != nullptr && rollout.routing_to && !names(goal->routing, service) && names(node_.stored().routing, service))
    broken(fmt::format("7 routes: {} is stopped while the node's routes name it", service));
  if (origin == nullptr) return;
  for (const auto& [name, other] : origin->services) {
    const ServiceRollout* dependent = part_of(rollout, name);
    const std::vector<std::string>& needs = other->spec.supervision.needs;
    if (dependent == nullptr || std::find(needs.begin(), needs.end(), service) == needs.end()) continue;
    if (!(forward ? dependent->to : dependent->from).leaves() || dependent->stage == Stage::kStuck) continue;
    for (const auto& [id, process] : node_.processes()) {
      if (process.asked.service == name && process.alive())
        broken(fmt::format("5 order: {} is stopped while {}, which needs it, is alive", service, id));
    }
  }
}

void Rules::check_routes(const DesiredState& before, const DesiredState& after, const Rollout& rollout) {
  if (!rollout.routing_to || before.routing.routes == after.routing.routes) return;
  if (rollout.direction != Direction::kForward || after.routing.routes != target_->routing.routes) return;
  for (const ServiceRollout& part : rollout.services) {
    if (part.to.leaves() || !names(target_->routing, part.service)) continue;
    if (!is_complete(part, *part.to.spec, after))
      broken(fmt::format("7 routes: they switch before {} is healthy", part.service));
  }
}

void Rules::check_failures(const DesiredState& after, const Rollout& rollout, const model::NodeObserved& observed) {
  if (rollout.direction != Direction::kForward || rollout.outcome != control::Outcome::kRunning) return;
  for (const model::ObservedInstance& instance : observed.instances) {
    const ServiceRollout* part = part_of(rollout, instance.service);
    const PlacedInstance* placed = find(list_of(after, instance.service), instance.id);
    if (part == nullptr || placed == nullptr || !part->fresh.contains(instance.id) || !control::is_wanted(*placed))
      continue;
    bool loops = instance.state == model::InstanceState::kCrashLooping;
    bool never_came = !placed->proven && (instance.state == model::InstanceState::kUnhealthy ||
                                          instance.restarts >= control::kEndsBeforeFailure);
    if (loops || never_came) broken(fmt::format("9 failure: {} is seen to fail, and it goes on forward", instance.id));
  }
}

void Rules::check_step(const DesiredState& before, const DesiredState& after, const Rollout& rollout,
                       const model::NodeObserved& observed) {
  std::set<std::string> services;
  for (const auto& [service, list] : before.instances) services.insert(service);
  for (const auto& [service, list] : after.instances) services.insert(service);
  for (const std::string& service : services) {
    const std::vector<PlacedInstance>& then = list_of(before, service);
    const std::vector<PlacedInstance>& now = list_of(after, service);
    if (!expectations_.contains(service)) {
      if (then != now) broken(fmt::format("2 untouched: {} changed", service));
      continue;
    }
    check_promise(service, then, now, observed);
    uint32_t wanted = 0;
    bool stopped = false;
    for (const PlacedInstance& placed : now) {
      if (control::is_wanted(placed)) ++wanted;
      const PlacedInstance* earlier = find(then, placed.instance.id);
      if (earlier == nullptr) {
        if (ever_.contains(placed.instance.id)) broken(fmt::format("3 names: {} is used again", placed.instance.id));
        check_started(placed, after, rollout);
      } else if (control::is_wanted(*earlier) && !control::is_wanted(placed)) {
        stopped = true;
        if (observed.revision == 0) broken(fmt::format("10 sight: {} is stopped unseen", placed.instance.id));
      }
    }
    if (stopped) check_stopped(service, rollout);
    if (wanted > expectations_.at(service).most)
      broken(fmt::format("8 batch: {} has {} instances, at most {} are allowed", service, wanted,
                         expectations_.at(service).most));
  }
  check_names(after);
  check_books(after);
  check_routes(before, after, rollout);
  check_failures(after, rollout, observed);
}

void Rules::check_node() {
  std::map<std::string, std::string> writers;
  for (const auto& [id, process] : node_.processes()) {
    if (!process.alive()) continue;
    for (const std::string& key : control::writer_keys(process.runtime)) {
      auto [at, is_first] = writers.try_emplace(key, id);
      if (!is_first) broken(fmt::format("11 one writer: {} and {} both write to {}", at->second, id, key));
    }
  }
}

void Rules::check_end(const DesiredState& state, const Rollout& rollout) {
  using control::Outcome;
  // Nothing is promised of one that makes way for a `down`: that one is held to stopping all of it.
  if (!rollout.given_up_by.empty()) return;
  if (rollout.outcome != Outcome::kDone && rollout.reason.empty()) broken("13 end: it failed without a reason");
  if (rollout.outcome == Outcome::kFailed) {
    bool undone_to_nothing =
        previous_ == nullptr && rollout.direction == Direction::kUndo && rollout.undo_reason.empty();
    if (undone_to_nothing && !state.instances.empty()) broken("14 meaning: something of a failed first apply is left");
    return;
  }
  const Composed* goal = rollout.outcome == Outcome::kDone ? target_ : previous_;
  std::set<std::string> services;
  for (const auto& [service, list] : state.instances) services.insert(service);
  if (goal != nullptr) {
    for (const auto& [service, composed] : goal->services) services.insert(service);
  }
  for (const std::string& service : services) {
    const ServiceSpec* spec = spec_of(goal, service);
    uint32_t right = 0;
    for (const PlacedInstance& placed : list_of(state, service)) {
      if (placed.instance.wanted == Wanted::kStopped) continue;
      bool alike = spec != nullptr && placed.instance.fingerprint == spec->runtime.fingerprint;
      if (!alike || !control::is_wanted(placed)) {
        broken(fmt::format("14 meaning: {} is left at the end", placed.instance.id));
      } else {
        ++right;
      }
    }
    if (right != (spec == nullptr ? 0 : spec->replicas))
      broken(fmt::format("14 meaning: {} has {} instances at the end", service, right));
  }
  if (goal != nullptr && state.routing != goal->routing) broken("14 meaning: other routes are in force at the end");
}

}  // namespace freehold::sim
