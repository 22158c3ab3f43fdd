#include "control/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "control/order.h"
#include "control/plan_parts.h"
#include "control/writers.h"

namespace freehold::control {
namespace {

const ComposedService* find(const Composed* composed, const std::string& service) {
  if (composed == nullptr) return nullptr;
  auto found = composed->services.find(service);
  return found == composed->services.end() ? nullptr : found->second.get();
}

// The volume for which the old instance must be gone before the new one starts, or empty.
std::string one_writer_volume(const model::Runtime& before, const model::Runtime& after) {
  std::vector<std::string> held = writer_keys(before);
  for (const model::Volume& volume : after.volumes) {
    if (volume.writers != model::Writers::kOne) continue;
    model::Runtime alone;
    alone.service = after.service;
    alone.volumes = {volume};
    if (std::find(held.begin(), held.end(), writer_keys(alone).front()) != held.end()) return volume.name;
  }
  return "";
}

std::string long_connections(const ComposedService& before) {
  return fmt::format(
      "nothing, unless a connection (WebSocket, download) lasts longer than {} after the switch: it is cut",
      format(before.spec.supervision.drain));
}

bool has_effect(const std::vector<KeyChange>& reasons, Effect effect) {
  return std::any_of(reasons.begin(), reasons.end(), [&](const KeyChange& change) { return change.effect == effect; });
}

// The lines of one service, without their steps.
class ServicePlanner {
 public:
  ServicePlanner(const ComposedService* before, const ComposedService* after, uint32_t other_versions)
      : before_(before), after_(after), other_versions_(other_versions) {}

  std::vector<ServiceChange> changes() {
    bool runs = before_ != nullptr && before_->spec.replicas > 0;
    if (is_job(before_) && (is_job(after_) || after_ == nullptr)) {
      compare_jobs();
    } else if (is_job(after_)) {
      if (runs) add(ChangeKind::kScaleDown, "it is not reachable any more: it becomes a job");
      add(ChangeKind::kCreate, "nothing until it is due");
    } else if (after_ == nullptr) {
      if (before_ != nullptr) add(ChangeKind::kRemove, "it is not reachable any more");
    } else if (!runs && after_->spec.replicas > 0) {
      prepare();
      add(ChangeKind::kCreate, "nothing until it is healthy and its routes switch to it");
    } else {
      compare();
    }
    return std::move(out_);
  }

 private:
  static bool is_job(const ComposedService* service) { return service != nullptr && service->source.job.has_value(); }
  uint32_t replicas(const ComposedService* service) const { return service == nullptr ? 0 : service->spec.replicas; }

  void add(ChangeKind kind, std::string notice) {
    ServiceChange& change = out_.emplace_back();
    change.service = after_ != nullptr ? after_->source.name : before_->source.name;
    change.kind = kind;
    change.from_replicas = replicas(before_);
    change.to_replicas = replicas(after_);
    if (after_ != nullptr) change.batch = after_->spec.deploy.batch;
    const ComposedService* subject = after_ != nullptr ? after_ : before_;
    if (is_job(subject) && kind != ChangeKind::kScaleDown) change.schedule = subject->source.job->schedule;
    if (kind != ChangeKind::kPrepare) change.reasons = reasons_;
    change.notice = std::move(notice);
  }
  void prepare() {
    if (!after_->spec.runtime.prepare.empty()) add(ChangeKind::kPrepare, "nothing");
  }
  void replace() {
    prepare();
    std::string volume = one_writer_volume(before_->spec.runtime, after_->spec.runtime);
    if (volume.empty()) {
      add(ChangeKind::kReplace, long_connections(*before_));
    } else {
      add(ChangeKind::kReplaceStopFirst,
          fmt::format("not reachable for a moment: volume {} has one writer, so the old instance stops before the new "
                      "one starts",
                      volume));
    }
  }
  void compare_jobs() {
    if (after_ == nullptr) return add(ChangeKind::kRemove, "a run of it that is under way is stopped");
    reasons_ = changed_keys(*before_, *after_);
    if (!reasons_.empty()) add(ChangeKind::kUpdate, "nothing: the next run takes it, one that is under way goes on");
  }
  void compare() {
    if (before_ == nullptr) {
      add(ChangeKind::kUpdate, "nothing: it has no instances");
      return;
    }
    if (before_ != after_) reasons_ = changed_keys(*before_, *after_);
    if (other_versions_ > 0) {
      reasons_.push_back({"instances of another version", fmt::format("{}", other_versions_), "0", Effect::kReplace});
    }
    uint32_t from = replicas(before_);
    uint32_t to = replicas(after_);
    if (from == 0 && to == 0 && !reasons_.empty()) {
      add(ChangeKind::kUpdate, "nothing: it has no instances");
    } else if (to > 0 && has_effect(reasons_, Effect::kReplace)) {
      replace();
    } else if (to > from) {
      add(ChangeKind::kScaleUp, "nothing");
    } else if (to == 0 && from > 0) {
      add(ChangeKind::kScaleDown, "it is not reachable until it is scaled up again");
    } else if (to < from) {
      add(ChangeKind::kScaleDown, long_connections(*before_));
    } else if (!reasons_.empty()) {
      add(ChangeKind::kUpdate, "nothing");
    }
  }

  const ComposedService* before_;
  const ComposedService* after_;
  uint32_t other_versions_;
  std::vector<KeyChange> reasons_;
  std::vector<ServiceChange> out_;
};

std::map<std::string, Place> places_in(const Composed& composed, const std::set<std::string>& changing) {
  std::map<std::string, std::vector<std::string>> needs;
  for (const auto& [name, service] : composed.services)
    needs.emplace_hint(needs.end(), name, service->spec.supervision.needs);
  return start_order(needs, changing);
}

bool goes(const ServiceChange& change) { return change.to_replicas == 0; }

// What starts does so in the order of need, what goes does so after that in reverse.
void put_in_order(Plan& plan, const Composed& desired, const Composed* current) {
  std::set<std::string> starting;
  std::set<std::string> going;
  for (const ServiceChange& change : plan.changes) (goes(change) ? going : starting).insert(change.service);
  std::map<std::string, Place> start = places_in(desired, starting);
  std::map<std::string, Place> stop;
  if (current != nullptr && !going.empty()) stop = places_in(*current, going);
  uint32_t last_start = 0;
  uint32_t last_stop = 0;
  for (const auto& [name, place] : start) last_start = std::max(last_start, place.wave);
  for (const auto& [name, place] : stop) last_stop = std::max(last_stop, place.wave);
  for (ServiceChange& change : plan.changes) {
    if (goes(change)) {
      auto found = stop.find(change.service);
      change.step = last_start + 1 + (found == stop.end() ? 0 : last_stop - found->second.wave);
    } else {
      change.step = start.at(change.service).wave;
    }
  }
  // A service's prepare line is before its others: the kinds stand in that order.
  std::sort(plan.changes.begin(), plan.changes.end(), [](const ServiceChange& a, const ServiceChange& b) {
    return std::tie(a.step, a.service, a.kind) < std::tie(b.step, b.service, b.kind);
  });
}

}  // namespace

Plan make_plan(const Composed& desired, const Composed* current, const model::NodeObserved* observed,
               const Overrides& overrides, WallTime now) {
  Plan plan;
  plan.target = desired.generation;
  plan.current = current != nullptr ? current->generation : 0;
  plan.made = now;
  plan.observed = observed != nullptr;
  Tallies tallies;
  const Composed nothing;
  if (observed != nullptr) tallies = tally(current != nullptr ? *current : nothing, *observed);

  auto look_at = [&](const std::string& name, const ComposedService* before, const ComposedService* after) {
    auto seen = tallies.services.find(name);
    uint32_t other_versions = seen == tallies.services.end() ? 0 : seen->second.other_versions;
    if (before == after && other_versions == 0) {
      ++plan.unchanged;
      return;
    }
    std::vector<ServiceChange> changes = ServicePlanner(before, after, other_versions).changes();
    if (changes.empty()) ++plan.unchanged;
    std::move(changes.begin(), changes.end(), std::back_inserter(plan.changes));
  };
  for (const auto& [name, service] : desired.services) look_at(name, find(current, name), service.get());
  if (current != nullptr) {
    for (const auto& [name, service] : current->services) {
      if (!desired.services.contains(name)) look_at(name, service.get(), nullptr);
    }
  }
  for (const std::string& name : tallies.strangers) {
    if (desired.services.contains(name)) continue;
    ServiceChange& change = plan.changes.emplace_back();
    change.service = name;
    change.kind = ChangeKind::kRemove;
    change.reasons = {{"instances", "left by a failed apply", "", Effect::kScale}};
    change.notice = "nothing";
  }
  if (!plan.changes.empty()) put_in_order(plan, desired, current);
  plan.routes = route_changes(current, desired);
  plan.gateway = gateway_changes(current, desired);
  plan.keep = keep_changes(current, desired);
  plan.secrets = secret_changes(current, desired);
  plan.departures = departures(desired, current, observed, tallies, overrides);
  return plan;
}

}  // namespace freehold::control
