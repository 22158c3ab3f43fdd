// One service towards what it shall be: decided anew at every step from what is asked for and what is seen, so that it
// does not matter where the step before stopped.
#include <fmt/core.h>

#include <algorithm>

#include "control/stepper.h"
#include "control/writers.h"

namespace freehold::control {
namespace {

bool is_fresh(const ServiceRollout& service, const PlacedInstance& placed) {
  return service.fresh.contains(placed.instance.id);
}

}  // namespace

bool Stepper::is_up(const Placed& placed) const {
  const model::ObservedInstance* instance = seen(placed.instance.id);
  if (instance == nullptr || instance->state != model::InstanceState::kHealthy) return false;
  return instance->serving || placed.instance.wanted == model::Wanted::kIdle;
}

// Control that has started again has not heard yet what serves. What it would stop for not serving may be all that
// does, so nothing is stopped before the node has spoken; then it is decided anew.
void Stepper::stop(Placed& placed, std::string_view why) {
  if (observed_.revision == 0) return;
  change_.want(placed, model::Wanted::kStopped);
  tell("instance.stopping", placed.instance.service, placed.instance.id, fmt::format("{} {}", placed.instance.id, why));
}

void Stepper::converge(ServiceRollout& service) {
  supervise(service);
  bool has_room = make_room(service);
  if (!prepare(service, has_room)) return;
  stop_surplus(service);
  start_instances(service, has_room);
  retire_old(service);
  settle_if_complete(service);
}

void Stepper::leave(ServiceRollout& service) {
  for (Placed& placed : change_.instances(service.service)) {
    if (placed.instance.wanted != model::Wanted::kStopped) stop(placed, "is drained and stopped");
  }
  if (!change_.instances(service.service).empty()) return;
  change_.forget_service(service.service);
  service.stage = Stage::kSettled;
  tell("service.done", service.service, "", fmt::format("{} has ended", service.service));
}

// Old instances go on being watched as they were: a new health check need not fit an old program.
void Stepper::supervise(const ServiceRollout& service) {
  const ServiceSpec& spec = *goal(service).spec;
  auto before = change_.state().supervision.find(service.service);
  bool changes = before != change_.state().supervision.end() && before->second != spec.supervision;
  if (changes) {
    model::Supervision old = before->second;
    for (const Placed& placed : change_.instances(service.service)) {
      const std::string& fingerprint = placed.instance.fingerprint;
      if (fingerprint != spec.runtime.fingerprint && !change_.state().supervision.contains(fingerprint))
        change_.supervise(service.service, fingerprint, old);
    }
    tell("service.updated", service.service, "",
         fmt::format("{} is watched by its new rules from now on", service.service));
  }
  change_.supervise(service.service, service.service, spec.supervision);
  if (change_.state().supervision.contains(spec.runtime.fingerprint))
    change_.supervise(service.service, spec.runtime.fingerprint, spec.supervision);
  for (Placed& placed : change_.instances(service.service)) {
    if (!is_wanted(placed) || placed.instance.fingerprint != spec.runtime.fingerprint) continue;
    bool alone = std::find(spec.drained.begin(), spec.drained.end(), placed.instance.id) != spec.drained.end();
    change_.want(placed, spec.idle || alone ? model::Wanted::kIdle : model::Wanted::kRunning);
  }
}

bool Stepper::writer_is_free(const model::Runtime& runtime) {
  std::vector<std::string> keys = writer_keys(runtime);
  if (keys.empty()) return true;
  if (!writers_) {
    writers_.emplace();
    for (const auto& [fingerprint, held] : change_.state().runtimes) {
      for (std::string& key : writer_keys(held)) (*writers_)[std::move(key)].insert(held.service);
    }
  }
  for (const std::string& key : keys) {
    for (const std::string& holder : (*writers_)[key]) {
      for (const Placed& placed : change_.instances(holder)) {
        auto held = change_.state().runtimes.find(placed.instance.fingerprint);
        if (held == change_.state().runtimes.end()) continue;
        std::vector<std::string> theirs = writer_keys(held->second);
        if (std::find(theirs.begin(), theirs.end(), key) != theirs.end()) return false;
      }
    }
    (*writers_)[key].insert(runtime.service);
  }
  return true;
}

// Stops what is in the way: prepare commands of old, and the writer of a volume that has only one. True if a new
// instance may start now.
bool Stepper::make_room(ServiceRollout& service) {
  const model::Runtime& runtime = goal(service).spec->runtime;
  std::vector<std::string> keys = writer_keys(runtime);
  for (Placed& placed : change_.instances(service.service)) {
    // Left by an apply, or a direction, that was given up.
    if (placed.instance.wanted == model::Wanted::kOnce && placed.instance.id != service.preparer)
      stop(placed, "is not needed any more");
  }
  if (keys.empty()) return true;
  for (Placed& placed : change_.instances(service.service)) {
    if (placed.instance.wanted == model::Wanted::kStopped || placed.instance.fingerprint == runtime.fingerprint)
      continue;
    auto held = change_.state().runtimes.find(placed.instance.fingerprint);
    if (held == change_.state().runtimes.end()) continue;
    for (const std::string& key : writer_keys(held->second)) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) continue;
      stop(placed, "is stopped first: its volume has one writer");
      break;
    }
  }
  return writer_is_free(runtime);
}

// True once nothing is in the way of new instances. Its failure is noticed in failure_of().
bool Stepper::prepare(ServiceRollout& service, bool has_room) {
  if (service.prepare == Prepare::kPending) {
    if (!has_room) return false;
    const Placed& placed = change_.place(goal(service).spec->runtime, model::Wanted::kOnce);
    service.prepare = Prepare::kRunning;
    service.preparer = placed.instance.id;
    tell("prepare.started", service.service, placed.instance.id,
         fmt::format("{} prepares {}", placed.instance.id, service.service));
    return false;
  }
  if (service.prepare != Prepare::kRunning) return true;
  for (const Placed& placed : change_.instances(service.service)) {
    if (placed.instance.id != service.preparer) continue;
    const model::ObservedInstance* instance = seen(placed.instance.id);
    if (instance == nullptr || instance->state != model::InstanceState::kStopped) return false;
    std::string id = placed.instance.id;
    service.prepare = Prepare::kDone;
    change_.erase(service.service, id);
    tell("prepare.done", service.service, id, fmt::format("{} has prepared {}", id, service.service));
    // Its entry in the volume's books goes with it, so the room must be looked at again: at the next pass.
    return false;
  }
  return false;
}

void Stepper::stop_surplus(ServiceRollout& service) {
  const ServiceSpec& spec = *goal(service).spec;
  std::vector<Placed*> alike;
  for (Placed& placed : change_.instances(service.service)) {
    if (is_wanted(placed) && placed.instance.fingerprint == spec.runtime.fingerprint) alike.push_back(&placed);
  }
  if (alike.size() <= spec.replicas) return;
  // Those that do not serve first, then the youngest.
  std::sort(alike.begin(), alike.end(),
            [&](const Placed* a, const Placed* b) { return is_up(*a) != is_up(*b) ? is_up(*a) : a < b; });
  for (size_t i = spec.replicas; i < alike.size(); ++i) stop(*alike[i], "is drained and stopped: one too many");
}

void Stepper::start_instances(ServiceRollout& service, bool has_room) {
  if (!has_room) return;
  const ServiceSpec& spec = *goal(service).spec;
  uint32_t alike = 0;
  uint32_t others = 0;
  uint32_t coming = 0;
  uint32_t failing = 0;  // from before, and not up
  for (const Placed& placed : change_.instances(service.service)) {
    if (!is_wanted(placed)) continue;
    if (placed.instance.fingerprint != spec.runtime.fingerprint) {
      ++others;
      continue;
    }
    ++alike;
    if (!is_up(placed)) ++(is_fresh(service, placed) ? coming : failing);
  }
  // While others are replaced, one that fails is one that has not come. A scale does not wait for it.
  if (others > 0) coming += failing;
  // With nothing to protect, all at once.
  bool protects = others > 0 || !origin(service).leaves();
  uint32_t batch = std::max(spec.deploy.batch, 1u);
  uint32_t most = protects ? (coming >= batch ? 0 : batch - coming) : spec.replicas;
  for (; alike < spec.replicas && most > 0; ++alike, --most) {
    const Placed& placed = change_.place(spec.runtime, spec.idle ? model::Wanted::kIdle : model::Wanted::kRunning);
    service.fresh[placed.instance.id] = rollout_.counted;
    tell("instance.started", service.service, placed.instance.id, fmt::format("{} starts", placed.instance.id));
  }
}

// Old instances go as new ones come to serve. What never served is no loss when going back.
void Stepper::retire_old(ServiceRollout& service) {
  const ServiceSpec& spec = *goal(service).spec;
  std::vector<Placed*> old;
  uint32_t serving = 0;
  for (Placed& placed : change_.instances(service.service)) {
    if (!is_wanted(placed)) continue;
    if (placed.instance.fingerprint == spec.runtime.fingerprint) {
      if (is_up(placed)) ++serving;
    } else if (!forward() && !placed.proven) {
      stop(placed, "is stopped: it never served");
    } else {
      old.push_back(&placed);
    }
  }
  if (serving == 0) return;
  uint32_t promised = origin(service).spec ? std::min(origin(service).spec->replicas, spec.replicas) : 0;
  size_t keep = promised > serving ? promised - serving : 0;
  if (old.size() <= keep) return;
  std::sort(old.begin(), old.end(),
            [&](const Placed* a, const Placed* b) { return is_up(*a) != is_up(*b) ? is_up(*b) : a < b; });
  for (size_t i = 0; i < old.size() - keep; ++i) stop(*old[i], "is drained and stopped");
}

void Stepper::settle_if_complete(ServiceRollout& service) {
  const ServiceSpec& spec = *goal(service).spec;
  uint32_t alike = 0;
  for (const Placed& placed : change_.instances(service.service)) {
    if (placed.instance.wanted == model::Wanted::kStopped) continue;
    if (!is_wanted(placed) || placed.instance.fingerprint != spec.runtime.fingerprint) return;
    if (is_fresh(service, placed) && !is_up(placed)) return;
    ++alike;
  }
  if (alike != spec.replicas) return;
  service.stage = Stage::kSettled;
  tell("service.done", service.service, "",
       forward() ? fmt::format("{} is done", service.service) : fmt::format("{} is as it was before", service.service));
}

}  // namespace freehold::control
