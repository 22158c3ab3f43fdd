// A node made of values for tests of rollouts: what is asked for can be made to start, serve, fail or go, one by one.
#pragma once

#include <algorithm>

#include "control/rollout.h"
#include "os/clock.h"

namespace freehold::control {

struct Scene {
  os::FakeClock clock;
  Generation generation;
  Overrides overrides;
  Allocations allocations;
  std::optional<Composed> current;
  Composed target;
  Rollout rollout;
  DesiredState state;
  model::NodeObserved observed;
  std::vector<RolloutEvent> events;

  Scene() { generation.organisation.name = "coop"; }

  Now now() const { return {clock.wall(), clock.monotonic()}; }

  model::Service& service(const std::string& name) {
    auto [at, inserted] = generation.organisation.services.try_emplace(name);
    at->second.name = name;
    if (inserted) at->second.run = {"./bin/" + name};
    allocations.addresses.try_emplace(name, static_cast<uint16_t>(7000 + allocations.addresses.size()));
    return at->second;
  }
  // The same service with another program.
  model::Service& change(const std::string& name) {
    model::Service& changed = service(name);
    changed.env["VERSION"] += "x";
    return changed;
  }

  void begin(RolloutKind kind, const Overrides& to) {
    target = *compose(generation, allocations, to, current ? &*current : nullptr);
    RolloutStart start;
    start.kind = kind;
    start.target = &target;
    start.previous = current ? &*current : nullptr;
    start.overrides_from = overrides;
    start.overrides_to = to;
    start.now = now();
    rollout = begin_rollout(start, state);
    overrides = to;
  }
  void apply() {
    ++generation.number;
    begin(RolloutKind::kApply, overrides);
    go();
  }
  void go() {
    StepResult result = step(rollout, state, observed, now());
    events.insert(events.end(), result.events.begin(), result.events.end());
    if (rollout.outcome == Outcome::kDone) current = target;
  }

  // The node takes in what is asked for: new instances start, unwanted ones are gone at once.
  void node_catches_up() {
    observed.revision = state.revision;
    std::erase_if(observed.instances, [&](const model::ObservedInstance& instance) {
      const PlacedInstance* placed = find(instance.id);
      return placed == nullptr || placed->instance.wanted == model::Wanted::kStopped;
    });
    for (const auto& [service, list] : state.instances) {
      for (const PlacedInstance& placed : list) {
        if (placed.instance.wanted == model::Wanted::kStopped || has(placed.instance.id)) continue;
        model::ObservedInstance& instance = observed.instances.emplace_back();
        instance.id = placed.instance.id;
        instance.service = service;
        instance.fingerprint = placed.instance.fingerprint;
        instance.state = model::InstanceState::kStarting;
      }
    }
  }
  void serve(const std::string& id) {
    see(id).state = model::InstanceState::kHealthy;
    see(id).serving = true;
  }
  void end_once(const std::string& id, int code) {
    see(id).state = model::InstanceState::kStopped;
    see(id).last_exit = model::Exit{.code = code, .failure = {}};
  }
  // The node obeys, all that starts serves, prepare commands succeed; then one step.
  void everything_serves() {
    node_catches_up();
    for (model::ObservedInstance& instance : observed.instances) {
      const PlacedInstance* placed = find(instance.id);
      if (placed->instance.wanted == model::Wanted::kOnce) {
        end_once(instance.id, 0);
      } else {
        serve(instance.id);
      }
    }
    clock.advance(std::chrono::seconds(1));
    go();
  }
  void until_it_ends() {
    for (int i = 0; i < 200 && rollout.outcome == Outcome::kRunning; ++i) everything_serves();
  }
  void apply_to_the_end() {
    apply();
    until_it_ends();
  }

  model::ObservedInstance& see(const std::string& id) {
    auto at = std::find_if(observed.instances.begin(), observed.instances.end(),
                           [&](const model::ObservedInstance& instance) { return instance.id == id; });
    return at == observed.instances.end() ? observed.instances.emplace_back() : *at;
  }
  bool has(const std::string& id) const {
    return std::any_of(observed.instances.begin(), observed.instances.end(),
                       [&](const model::ObservedInstance& instance) { return instance.id == id; });
  }
  const PlacedInstance* find(const std::string& id) const {
    auto list = state.instances.find(std::string(service_of(id)));
    if (list == state.instances.end()) return nullptr;
    for (const PlacedInstance& placed : list->second) {
      if (placed.instance.id == id) return &placed;
    }
    return nullptr;
  }
  // Ids of the service that are asked to run (or to run once).
  std::vector<std::string> wanted(const std::string& service) const {
    std::vector<std::string> out;
    auto list = state.instances.find(service);
    if (list == state.instances.end()) return out;
    for (const PlacedInstance& placed : list->second) {
      if (placed.instance.wanted != model::Wanted::kStopped) out.push_back(placed.instance.id);
    }
    return out;
  }
};

}  // namespace freehold::control
