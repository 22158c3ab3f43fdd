#include "control/desired_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

namespace freehold::control {

bool is_wanted(const PlacedInstance& placed) {
  return placed.instance.wanted == model::Wanted::kRunning || placed.instance.wanted == model::Wanted::kIdle;
}

bool is_gone(const PlacedInstance& placed, const model::ObservedInstance* seen, uint64_t node_revision) {
  if (placed.instance.wanted != model::Wanted::kStopped) return false;
  // An older answer may be from before the instance was even started there.
  if (node_revision < placed.told) return false;
  return seen == nullptr || seen->state == model::InstanceState::kStopped;
}

DesiredService part_of(const DesiredState& state, const std::string& service) {
  DesiredService part;
  if (auto number = state.last_numbers.find(service); number != state.last_numbers.end())
    part.last_number = number->second;
  auto take_supervision = [&](const std::string& name) {
    auto found = state.supervision.find(name);
    if (found != state.supervision.end()) part.supervision.insert(*found);
  };
  take_supervision(service);
  auto list = state.instances.find(service);
  if (list == state.instances.end()) return part;
  part.instances = list->second;
  for (const PlacedInstance& placed : part.instances) {
    const std::string& fingerprint = placed.instance.fingerprint;
    if (part.runtimes.contains(fingerprint)) continue;
    auto runtime = state.runtimes.find(fingerprint);
    if (runtime != state.runtimes.end()) part.runtimes.insert(*runtime);
    take_supervision(fingerprint);
  }
  return part;
}

void add_part(DesiredState& state, const std::string& service, DesiredService part) {
  state.runtimes.merge(part.runtimes);
  state.supervision.merge(part.supervision);
  if (!part.instances.empty()) state.instances[service] = std::move(part.instances);
  if (part.last_number > 0) state.last_numbers[service] = part.last_number;
}

model::NodeDesired node_desired(const DesiredState& state) {
  model::NodeDesired out;
  out.revision = state.revision;
  out.generation = state.generation;
  out.organisation = state.organisation;
  out.runtimes = state.runtimes;
  out.supervision = state.supervision;
  out.routing = state.routing;
  for (const auto& [service, list] : state.instances) {
    for (const PlacedInstance& placed : list) out.instances.push_back(placed.instance);
  }
  return out;
}

std::vector<std::string> secrets_needed(const DesiredState& state) {
  std::vector<std::string> out;
  for (const auto& [fingerprint, runtime] : state.runtimes) {
    for (const auto& [name, hash] : runtime.secret_hashes) out.push_back(hash);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool sweep(DesiredState& state, const model::NodeObserved& observed) {
  std::vector<const PlacedInstance*> stopped;
  for (const auto& [service, list] : state.instances) {
    for (const PlacedInstance& placed : list) {
      if (placed.instance.wanted == model::Wanted::kStopped) stopped.push_back(&placed);
    }
  }
  if (stopped.empty()) return false;
  std::unordered_map<std::string_view, const model::ObservedInstance*> seen;
  for (const model::ObservedInstance& instance : observed.instances) seen.emplace(instance.id, &instance);
  std::vector<model::DesiredInstance> gone;
  for (const PlacedInstance* placed : stopped) {
    auto found = seen.find(placed->instance.id);
    if (is_gone(*placed, found == seen.end() ? nullptr : found->second, observed.revision))
      gone.push_back(placed->instance);
  }
  Change change(state);
  for (const model::DesiredInstance& instance : gone) change.erase(instance.service, instance.id);
  return change.commit();
}

const PlacedInstance& Change::place(const model::Runtime& runtime, model::Wanted wanted) {
  PlacedInstance placed;
  placed.instance.id = fmt::format("{}.{}", runtime.service, ++state_.last_numbers[runtime.service]);
  placed.instance.service = runtime.service;
  placed.instance.fingerprint = runtime.fingerprint;
  placed.instance.wanted = wanted;
  placed.told = revision();
  state_.runtimes.try_emplace(runtime.fingerprint, runtime);
  state_.touched.insert(runtime.service);
  any_ = true;
  return state_.instances[runtime.service].emplace_back(std::move(placed));
}

void Change::want(PlacedInstance& placed, model::Wanted wanted) {
  if (placed.instance.wanted == wanted) return;
  placed.instance.wanted = wanted;
  placed.told = revision();
  state_.touched.insert(placed.instance.service);
  any_ = true;
}

void Change::prove(PlacedInstance& placed) {
  if (placed.proven) return;
  placed.proven = true;
  state_.touched.insert(placed.instance.service);
}

void Change::erase(const std::string& service, const std::string& id) {
  auto list = state_.instances.find(service);
  if (list == state_.instances.end()) return;
  auto at = std::find_if(list->second.begin(), list->second.end(),
                         [&](const PlacedInstance& placed) { return placed.instance.id == id; });
  if (at == list->second.end()) return;
  std::string fingerprint = at->instance.fingerprint;
  list->second.erase(at);
  state_.touched.insert(service);
  any_ = true;
  bool used = std::any_of(list->second.begin(), list->second.end(),
                          [&](const PlacedInstance& placed) { return placed.instance.fingerprint == fingerprint; });
  if (!used) {
    state_.runtimes.erase(fingerprint);
    state_.supervision.erase(fingerprint);
  }
  if (list->second.empty()) state_.instances.erase(list);
}

void Change::supervise(const std::string& service, const std::string& name, const model::Supervision& supervision) {
  auto [at, inserted] = state_.supervision.try_emplace(name, supervision);
  if (!inserted && at->second == supervision) return;
  at->second = supervision;
  state_.touched.insert(service);
  any_ = true;
}

void Change::forget_service(const std::string& service) {
  if (state_.instances.contains(service)) return;
  if (state_.supervision.erase(service) == 0) return;
  state_.touched.insert(service);
  any_ = true;
}

void Change::route(model::Routing routing) {
  if (state_.routing == routing) return;
  state_.routing = std::move(routing);
  state_.rerouted = true;
  any_ = true;
}

void Change::reach(uint64_t generation, const std::string& organisation) {
  if (state_.generation == generation && state_.organisation == organisation) return;
  state_.generation = generation;
  state_.organisation = organisation;
  any_ = true;
}

std::span<PlacedInstance> Change::instances(const std::string& service) {
  auto found = state_.instances.find(service);
  return found == state_.instances.end() ? std::span<PlacedInstance>() : found->second;
}

bool Change::commit() {
  if (any_) ++state_.revision;
  return std::exchange(any_, false);
}

}  // namespace freehold::control
