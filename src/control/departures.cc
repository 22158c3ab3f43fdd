#include <fmt/core.h>

#include "control/plan_parts.h"

namespace freehold::control {
namespace {

constexpr size_t kExamples = 3;

bool on_its_way_out(model::InstanceState state) {
  return state == model::InstanceState::kDraining || state == model::InstanceState::kStopping ||
         state == model::InstanceState::kStopped;
}

bool fails(model::InstanceState state) {
  return state == model::InstanceState::kCrashLooping || state == model::InstanceState::kUnhealthy;
}

void add_asked(const Composed& desired, const Overrides& overrides, std::vector<Departure>& out) {
  if (overrides.down) {
    out.push_back({DepartureKind::kDown, "", "everything is stopped; an apply starts it again", overrides.down->who,
                   overrides.down->when});
  }
  for (const auto& [name, scale] : overrides.scale) {
    auto service = desired.services.find(name);
    if (service == desired.services.end()) continue;
    uint32_t in_file = service->second->source.replicas;
    bool ends = service->second->spec.replicas == in_file && scale.replicas != in_file;
    if (scale.replicas == in_file) continue;
    out.push_back({DepartureKind::kScale, name,
                   fmt::format("{} is scaled to {}; the file says {}{}", name, scale.replicas, in_file,
                               ends ? ", which counts again with this apply" : ""),
                   scale.who, scale.when});
  }
  for (const auto& [name, asked] : overrides.drained) {
    std::string service = desired.services.contains(name) ? name : std::string(service_of(name));
    out.push_back({DepartureKind::kDrain, service, fmt::format("{} is drained: it is given no requests", name),
                   asked.who, asked.when});
  }
}

std::string examples(const Tally& tally) {
  std::string out;
  for (const model::ObservedInstance* instance : tally.failing) {
    if (!out.empty()) out += "; ";
    out += fmt::format("{} is {}", instance->id, enum_names(instance->state)[static_cast<size_t>(instance->state)]);
    if (!instance->reason.empty()) out += ": " + instance->reason;
  }
  return out;
}

void add_found(const Composed& current, const Tallies& tallies, std::vector<Departure>& out) {
  for (const auto& [name, service] : current.services) {
    const ServiceSpec& spec = service->spec;
    auto found = tallies.services.find(name);
    if (found == tallies.services.end()) {
      if (spec.replicas > 0)
        out.push_back({DepartureKind::kMissing, name, fmt::format("none of {}'s instances runs", name), "", {}});
      continue;
    }
    const Tally& tally = found->second;
    if (!tally.failing.empty()) {
      out.push_back({DepartureKind::kFailing, name,
                     fmt::format("{} of {} instances of {} serve: {}", tally.up, spec.replicas, name, examples(tally)),
                     "", tally.failing.front()->since});
    } else if (tally.of_version < spec.replicas) {
      out.push_back({DepartureKind::kMissing,
                     name,
                     fmt::format("{} of {} instances of {} run", tally.of_version, spec.replicas, name),
                     "",
                     {}});
    }
  }
}

}  // namespace

Tallies tally(const Composed& composed, const model::NodeObserved& observed) {
  Tallies out;
  out.services.reserve(composed.services.size());
  Tally* at = nullptr;
  std::string_view service;
  const std::string* fingerprint = nullptr;
  for (const model::ObservedInstance& instance : observed.instances) {
    if (on_its_way_out(instance.state)) continue;
    if (at == nullptr || service != instance.service) {  // they mostly come sorted
      auto found = composed.services.find(instance.service);
      if (found == composed.services.end()) {
        out.strangers.insert(instance.service);
        continue;
      }
      service = found->first;
      fingerprint = &found->second->spec.runtime.fingerprint;
      at = &out.services[service];
    }
    if (instance.fingerprint != *fingerprint) {
      ++at->other_versions;
      continue;
    }
    ++at->of_version;
    if (instance.state == model::InstanceState::kHealthy && instance.serving) ++at->up;
    if (fails(instance.state) && at->failing.size() < kExamples) at->failing.push_back(&instance);
  }
  return out;
}

std::vector<Departure> departures(const Composed& desired, const Composed* current, const model::NodeObserved* observed,
                                  const Tallies& tallies, const Overrides& overrides) {
  std::vector<Departure> out;
  add_asked(desired, overrides, out);
  if (observed == nullptr) return out;
  if (current != nullptr) add_found(*current, tallies, out);
  for (const std::string& problem : observed->problems) out.push_back({DepartureKind::kNode, "", problem, "", {}});
  return out;
}

}  // namespace freehold::control
