#include "control/progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "control/stepper.h"

namespace freehold::control {
namespace {

using model::InstanceState;
using model::Wanted;

class Watcher {
 public:
  Watcher(const Rollout& rollout, const DesiredState& state, const model::NodeObserved& observed, Now now)
      : rollout_(rollout), state_(state), now_(now) {
    for (const model::ObservedInstance& instance : observed.instances) seen_.emplace(instance.id, &instance);
    for (const ServiceRollout& service : rollout.services) stages_.emplace(service.service, service.stage);
  }

  ServiceProgress look_at(const ServiceRollout& service) const {
    const Leg& goal = goal_of(service);
    ServiceProgress out;
    out.service = service.service;
    out.wanted = goal.leaves() ? 0 : goal.spec->replicas;
    bool runs = rollout_.outcome == Outcome::kRunning;
    out.spent = service.stage == Stage::kRolling ? rollout_.counted - service.rolling_since : service.took;
    if (runs && service.stage == Stage::kRolling)
      out.spent += std::max(now_.monotonic - rollout_.last_step, Duration::zero());
    auto list = state_.instances.find(service.service);
    if (list != state_.instances.end()) {
      for (const PlacedInstance& placed : list->second) count(placed, goal, out);
    }
    out.state = state_of(service, goal, out);
    if (!runs || out.state == "done" || out.state == "stuck") out.awaits.clear();
    if (runs && out.state == "waiting") out.awaits = turn_of(service, goal);
    return out;
  }

 private:
  const Leg& goal_of(const ServiceRollout& service) const {
    return rollout_.direction == Direction::kForward ? service.to : service.from;
  }

  // The first instance that does not serve yet is what is awaited; where all do, the first that has not gone.
  void count(const PlacedInstance& placed, const Leg& goal, ServiceProgress& out) const {
    const std::string& id = placed.instance.id;
    auto found = seen_.find(id);
    const model::ObservedInstance* instance = found == seen_.end() ? nullptr : found->second;
    if (placed.instance.wanted == Wanted::kOnce) {
      out.awaits = fmt::format("{} to prepare it", id);
      out.reason = instance == nullptr ? "" : instance->reason;
      return;
    }
    bool belongs = is_wanted(placed) && !goal.leaves() && placed.instance.fingerprint == goal.spec->runtime.fingerprint;
    if (!belongs) {
      ++out.leaving;
      if (out.awaits.empty() && placed.instance.wanted == Wanted::kStopped)
        out.awaits = fmt::format("{} to {}", id, is_draining(instance) ? "finish its requests" : "stop");
      return;
    }
    bool healthy = instance != nullptr && instance->state == InstanceState::kHealthy;
    if (healthy && (instance->serving || placed.instance.wanted == Wanted::kIdle)) {
      ++out.ready;
      return;
    }
    if (out.awaits.ends_with(kHealthy)) return;
    out.awaits = healthy ? fmt::format("the gateway to take {}", id) : id + std::string(kHealthy);
    if (instance == nullptr || healthy) return;
    bool ended = instance->last_exit && (instance->restarts > 0 || instance->state == InstanceState::kCrashLooping);
    out.reason = ended ? describe(*instance) : instance->reason;
  }

  static bool is_draining(const model::ObservedInstance* instance) {
    return instance != nullptr && instance->state == InstanceState::kDraining;
  }

  static std::string state_of(const ServiceRollout& service, const Leg& goal, const ServiceProgress& seen) {
    switch (service.stage) {
      case Stage::kWaiting:
        return "waiting";
      case Stage::kRolling:
        if (service.prepare == Prepare::kRunning) return "preparing";
        return goal.leaves() ? "stopping" : "rolling";
      case Stage::kSettled:
        return seen.leaving > 0 ? "draining" : "done";
      case Stage::kStuck:
        return "stuck";
    }
    return "";
  }

  bool is_done(const std::string& service) const {
    auto found = stages_.find(service);
    return found == stages_.end() || found->second == Stage::kSettled || found->second == Stage::kStuck;
  }

  std::string turn_of(const ServiceRollout& service, const Leg& goal) const {
    if (!goal.leaves()) {
      for (const std::string& need : goal.after) {
        if (!is_done(need)) return need;
      }
      return "";
    }
    if (!rollout_.routed) return "the routes to switch";
    for (const ServiceRollout& other : rollout_.services) {
      const Leg& origin = rollout_.direction == Direction::kForward ? other.from : other.to;
      if (!origin.spec || is_done(other.service)) continue;
      const std::vector<std::string>& needs = origin.spec->supervision.needs;
      if (std::ranges::find(needs, service.service) != needs.end()) return other.service + ", which needs it";
    }
    return "the routes to switch";
  }

  static constexpr std::string_view kHealthy = " to be healthy";
  const Rollout& rollout_;
  const DesiredState& state_;
  Now now_;
  std::unordered_map<std::string_view, const model::ObservedInstance*> seen_;
  std::unordered_map<std::string_view, Stage> stages_;
};

}  // namespace

std::vector<ServiceProgress> progress_of(const Rollout& rollout, const DesiredState& state,
                                         const model::NodeObserved& observed, Now now) {
  Watcher watcher(rollout, state, observed, now);
  std::vector<ServiceProgress> out;
  out.reserve(rollout.services.size());
  for (const ServiceRollout& service : rollout.services) out.push_back(watcher.look_at(service));
  return out;
}

}  // namespace freehold::control
