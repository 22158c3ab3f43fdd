// What a rollout has to do, and in which order, worked out once at its beginning.
#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "control/rollout.h"
#include "control/writers.h"

namespace freehold::control {
namespace {

const ServiceSpec* spec_of(const Composed* composed, const std::string& service) {
  if (composed == nullptr) return nullptr;
  auto found = composed->services.find(service);
  return found == composed->services.end() ? nullptr : &found->second->spec;
}

bool drained_alone(const ServiceSpec& spec, const std::string& id) {
  return std::find(spec.drained.begin(), spec.drained.end(), id) != spec.drained.end();
}

// Whether the node is asked for exactly this already. Stopped instances that are still leaving do not count.
bool is_asked_for(const DesiredState& state, const std::string& service, const ServiceSpec* spec) {
  auto list = state.instances.find(service);
  if (spec == nullptr || spec->replicas == 0) return list == state.instances.end();
  auto supervision = state.supervision.find(service);
  if (supervision == state.supervision.end() || supervision->second != spec->supervision) return false;
  if (list == state.instances.end()) return false;
  uint32_t count = 0;
  for (const PlacedInstance& placed : list->second) {
    if (placed.instance.wanted == model::Wanted::kStopped) continue;
    bool idle = spec->idle || drained_alone(*spec, placed.instance.id);
    if (placed.instance.wanted != (idle ? model::Wanted::kIdle : model::Wanted::kRunning)) return false;
    if (placed.instance.fingerprint != spec->runtime.fingerprint) return false;
    ++count;
  }
  return count == spec->replicas;
}

// Whether this version has an instance already, and so was prepared for by an earlier apply.
bool runs(const DesiredState& state, const ServiceSpec& spec) {
  auto list = state.instances.find(spec.runtime.service);
  if (list == state.instances.end()) return false;
  return std::any_of(list->second.begin(), list->second.end(), [&](const PlacedInstance& placed) {
    return is_wanted(placed) && placed.instance.fingerprint == spec.runtime.fingerprint;
  });
}

// What is not as it shall be, and what would not be as it was if the rollout went back: an apply that failed and was
// held may have left a service between the two.
std::set<std::string> changing_services(const RolloutStart& start, const DesiredState& state) {
  std::set<std::string> out;
  auto look_at = [&](const std::string& name) {
    if (!is_asked_for(state, name, spec_of(start.target, name)) ||
        !is_asked_for(state, name, spec_of(start.previous, name)))
      out.insert(name);
  };
  for (const auto& [name, service] : start.target->services) look_at(name);
  for (const auto& [name, list] : state.instances) look_at(name);
  if (start.previous == nullptr) return out;
  for (const auto& [name, service] : start.previous->services) look_at(name);
  return out;
}

std::map<std::string, Place> places_in(const Composed* composed, const std::set<std::string>& changing) {
  std::map<std::string, std::vector<std::string>> needs;
  if (composed != nullptr) {
    for (const auto& [name, service] : composed->services)
      needs.emplace_hint(needs.end(), name, service->spec.supervision.needs);
  }
  return start_order(needs, changing);
}

void put_in_order(Leg& leg, const std::map<std::string, Place>& places, const std::string& service) {
  auto found = places.find(service);
  if (found == places.end()) return;
  leg.wave = found->second.wave;
  leg.after = found->second.after;
}

// A volume with one writer that passes from one service to another: the one that has it gives it up first.
void hand_over_volumes(std::vector<ServiceRollout>& services, Leg ServiceRollout::* goal,
                       Leg ServiceRollout::* origin) {
  std::unordered_map<std::string, ServiceRollout*> holders;
  for (ServiceRollout& service : services) {
    if (!(service.*origin).spec) continue;
    for (std::string& key : writer_keys((service.*origin).spec->runtime)) holders.emplace(std::move(key), &service);
  }
  if (holders.empty()) return;
  for (ServiceRollout& service : services) {
    const Leg& leg = service.*goal;
    if (leg.leaves()) continue;
    for (const std::string& key : writer_keys(leg.spec->runtime)) {
      auto found = holders.find(key);
      if (found == holders.end() || found->second == &service) continue;
      // No entry in `after`: with a need the other way round, both would wait for ever. It starts when there is room.
      if ((found->second->*goal).leaves()) (found->second->*goal).early = true;
    }
  }
}

}  // namespace

void put_in_order(Rollout& rollout) {
  Leg ServiceRollout::* goal = rollout.direction == Direction::kForward ? &ServiceRollout::to : &ServiceRollout::from;
  std::sort(rollout.services.begin(), rollout.services.end(), [&](const ServiceRollout& a, const ServiceRollout& b) {
    return std::tie((a.*goal).wave, a.service) < std::tie((b.*goal).wave, b.service);
  });
}

Rollout begin_rollout(const RolloutStart& start, const DesiredState& state) {
  Rollout rollout;
  rollout.id = start.id;
  rollout.kind = start.kind;
  rollout.who = start.who;
  rollout.organisation = start.target->organisation;
  rollout.target = start.target->generation;
  rollout.previous = start.previous != nullptr ? start.previous->generation : 0;
  rollout.started = start.now.wall;
  rollout.last_step = start.now.monotonic;
  rollout.overrides_from = start.overrides_from;
  rollout.overrides_to = start.overrides_to;

  std::set<std::string> changing = changing_services(start, state);
  std::map<std::string, Place> places_to = places_in(start.target, changing);
  std::map<std::string, Place> places_from = places_in(start.previous, changing);
  for (const std::string& name : changing) {
    ServiceRollout& service = rollout.services.emplace_back();
    service.service = name;
    if (const ServiceSpec* spec = spec_of(start.target, name)) service.to.spec = *spec;
    if (const ServiceSpec* spec = spec_of(start.previous, name)) service.from.spec = *spec;
    put_in_order(service.to, places_to, name);
    put_in_order(service.from, places_from, name);
    const std::optional<ServiceSpec>& spec = service.to.spec;
    if (start.kind == RolloutKind::kApply && !service.to.leaves() && !spec->runtime.prepare.empty() &&
        !runs(state, *spec))
      service.prepare = Prepare::kPending;
  }
  hand_over_volumes(rollout.services, &ServiceRollout::to, &ServiceRollout::from);
  hand_over_volumes(rollout.services, &ServiceRollout::from, &ServiceRollout::to);
  put_in_order(rollout);
  rollout.touched = std::move(changing);

  model::Routing before = start.previous != nullptr ? start.previous->routing : model::Routing();
  if (state.routing != start.target->routing || state.routing != before) {
    rollout.routing_to = start.target->routing;
    rollout.routing_from = std::move(before);
    rollout.routed = false;
  }
  return rollout;
}

}  // namespace freehold::control
