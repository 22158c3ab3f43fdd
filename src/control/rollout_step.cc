// The flow of a step: take in what happened, look for failures, then let every service go on whose turn it is, until
// none moves any more.
#include <fmt/core.h>

#include <algorithm>

#include "control/stepper.h"

namespace freehold::control {
namespace {

// `base` with the addresses that only `other` has: while services come and go, all of their addresses answer.
model::Routing with_addresses_of(model::Routing base, const model::Routing& other) {
  for (const auto& [service, port] : other.addresses) {
    if (!base.addresses.try_emplace(service, port).second) continue;
    auto speaks = other.speaks_http.find(service);
    if (speaks != other.speaks_http.end()) base.speaks_http.try_emplace(service, speaks->second);
  }
  return base;
}

}  // namespace

Stepper::Stepper(Rollout& rollout, DesiredState& state, const model::NodeObserved& observed, Now now)
    : rollout_(rollout), observed_(observed), now_(now), change_(state) {
  read_services();
  for (const model::ObservedInstance& instance : observed.instances) {
    if (index_.contains(instance.service)) seen_.emplace(instance.id, &instance);
  }
}

// Again after the direction changed: both depend on it.
void Stepper::read_services() {
  index_.clear();
  needed_by_.clear();
  for (size_t i = 0; i < rollout_.services.size(); ++i) {
    const ServiceRollout& service = rollout_.services[i];
    index_.emplace(service.service, i);
    if (!origin(service).spec) continue;
    for (const std::string& need : origin(service).spec->supervision.needs) needed_by_[need].push_back(i);
  }
}

const model::ObservedInstance* Stepper::seen(const std::string& id) const {
  auto found = seen_.find(id);
  return found == seen_.end() ? nullptr : found->second;
}

void Stepper::tell(std::string kind, std::string service, std::string instance, std::string text) {
  result_.events.push_back({std::move(kind), std::move(service), std::move(instance), std::move(text)});
}

void Stepper::count_time() {
  Duration passed = std::max(now_.monotonic - rollout_.last_step, Duration::zero());
  rollout_.last_step = now_.monotonic;
  rollout_.counted += passed;
  bool all_done = std::all_of(rollout_.services.begin(), rollout_.services.end(),
                              [](const ServiceRollout& service) { return is_done(service); });
  if (all_done) rollout_.closing += passed;
}

void Stepper::note_what_happened(ServiceRollout& service) {
  std::vector<std::string> gone;
  for (Placed& placed : change_.instances(service.service)) {
    const std::string& id = placed.instance.id;
    if (is_gone(placed, seen(id), observed_.revision)) {
      gone.push_back(id);
    } else if (is_wanted(placed) && !placed.proven && is_up(placed)) {
      change_.prove(placed);
      auto since = service.fresh.find(id);
      if (since == service.fresh.end()) continue;
      tell("instance.took-over", service.service, id,
           fmt::format("{} is healthy after {} and takes over", id, format_short(rollout_.counted - since->second)));
    }
  }
  for (const std::string& id : gone) {
    change_.erase(service.service, id);
    tell("instance.stopped", service.service, id, fmt::format("{} has stopped", id));
  }
}

bool Stepper::is_done(const std::string& service) const {
  auto found = index_.find(service);
  if (found == index_.end()) return true;  // it does not change
  return is_done(rollout_.services[found->second]);
}

bool Stepper::may_start(const ServiceRollout& service) const {
  const std::vector<std::string>& after = goal(service).after;
  // One that it needs, but that is scaled to nothing, leaves after this one: waiting for it would be for ever.
  return std::all_of(after.begin(), after.end(), [&](const std::string& name) {
    return is_done(name) || goal(rollout_.services[index_.at(name)]).leaves();
  });
}

bool Stepper::may_leave(const ServiceRollout& service) const {
  if (goal(service).early) return true;
  if (!rollout_.routed || observed_.revision < rollout_.routed_revision) return false;
  auto found = needed_by_.find(service.service);
  if (found == needed_by_.end()) return true;
  return std::all_of(found->second.begin(), found->second.end(),
                     [&](size_t at) { return is_done(rollout_.services[at].service); });
}

// True if it came nearer to its goal in a way that others may wait for.
bool Stepper::advance(ServiceRollout& service) {
  Stage before = service.stage;
  Prepare prepare_before = service.prepare;
  bool leaves = goal(service).leaves();
  if (service.stage == Stage::kWaiting && (leaves ? may_leave(service) : may_start(service))) {
    service.stage = Stage::kRolling;
    service.rolling_since = rollout_.counted;
  }
  if (service.stage == Stage::kRolling) {
    if (leaves) {
      leave(service);
    } else {
      converge(service);
    }
  }
  return service.stage != before || service.prepare != prepare_before;
}

bool Stepper::switch_routes() {
  if (rollout_.routed) return false;
  const model::Routing& to = forward() ? *rollout_.routing_to : *rollout_.routing_from;
  const model::Routing& from = forward() ? *rollout_.routing_from : *rollout_.routing_to;
  for (const model::Route& route : to.routes) {
    for (const model::PathRule& rule : route.paths) {
      if (rule.kind != model::TargetKind::kService || is_done(rule.service)) continue;
      if (goal(rollout_.services[index_.at(rule.service)]).leaves()) continue;
      model::Routing meanwhile = with_addresses_of(change_.state().routing, to);
      // What starts first writes as the file says. Later a smaller bound waits until the generation has come: one that
      // does not come must not have cost logs.
      if (rollout_.previous == 0) meanwhile.keep = to.keep;
      change_.route(std::move(meanwhile));
      return false;
    }
  }
  change_.route(with_addresses_of(to, from));
  rollout_.routed = true;
  // Without any change there is no new revision, and so none that the node could answer.
  rollout_.routed_revision = change_.any() ? change_.revision() : change_.state().revision;
  tell("routes.switched", "", "", forward() ? "routes switch to the new generation" : "routes are as they were before");
  return true;
}

// Whether it can be reached where the file says, only the node can tell.
bool Stepper::awaits_answer() const {
  return forward() && rollout_.routing_to && observed_.revision < rollout_.routed_revision;
}

void Stepper::finish_if_done() {
  if (rollout_.outcome != Outcome::kRunning || !rollout_.routed) return;
  if (awaits_answer()) return;
  Duration patience{};
  std::string leftover;
  bool stuck = false;
  for (const ServiceRollout& service : rollout_.services) {
    if (!is_done(service.service)) return;
    stuck = stuck || service.stage == Stage::kStuck;
    patience = std::max(patience, deadline(service));
    for (const Placed& placed : change_.instances(service.service)) {
      if (placed.instance.wanted == model::Wanted::kStopped) leftover = placed.instance.id;
    }
  }
  if (!leftover.empty() && rollout_.closing < patience) return;
  std::string note = leftover.empty() ? "" : leftover + " has not stopped yet";
  if (forward()) {
    rollout_.reason = note;
    finish(rollout_.kind == RolloutKind::kDown && !leftover.empty() ? Outcome::kFailed : Outcome::kDone);
  } else if (stuck) {
    finish(Outcome::kFailed);
  } else {
    bool returned = rollout_.previous != 0 || rollout_.asked_back;
    finish(returned ? Outcome::kUndone : Outcome::kFailed);
  }
}

void Stepper::finish(Outcome outcome) {
  rollout_.outcome = outcome;
  rollout_.finished = now_.wall;
  if (outcome == Outcome::kDone || outcome == Outcome::kUndone || !forward()) {
    if (rollout_.routing_to) change_.route(forward() ? *rollout_.routing_to : *rollout_.routing_from);
    change_.reach(forward() ? rollout_.target : rollout_.previous, rollout_.organisation);
  }
  tell(fmt::format("rollout.{}", enum_names(outcome)[static_cast<size_t>(outcome)]), "", "", outcome_text(rollout_));
}

Duration Stepper::deadline(const ServiceRollout& service) const {
  const Leg& leg = goal(service);
  if (!leg.leaves()) return leg.spec->deploy.deadline;
  const std::optional<ServiceSpec>& spec = origin(service).spec ? origin(service).spec : leg.spec;
  if (!spec) return model::Deploy().deadline;
  return spec->supervision.drain + spec->supervision.stop.grace + spec->deploy.deadline;
}

std::optional<Duration> Stepper::wake_after() const {
  std::optional<Duration> out;
  auto consider = [&](Duration left) { out = std::max(std::min(out.value_or(left), left), Duration::zero()); };
  bool all_done = true;
  Duration patience{};
  for (const ServiceRollout& service : rollout_.services) {
    if (service.stage == Stage::kRolling) consider(deadline(service) - spent(service));
    all_done = all_done && is_done(service.service);
    patience = std::max(patience, deadline(service));
  }
  // An answer comes as an observation; no time that passes takes its place.
  if (all_done && !awaits_answer()) consider(patience - rollout_.closing);
  return out;
}

// Of a service in a rollout, all that steps change.
struct Stepper::Progress {
  explicit Progress(const ServiceRollout& service)
      : stage(service.stage), prepare(service.prepare), preparer(service.preparer), fresh(service.fresh.size()) {}
  bool operator==(const Progress&) const = default;
  Stage stage;
  Prepare prepare;
  std::string preparer;
  size_t fresh;  // it only grows, until a change of direction, which touches all
};

StepResult Stepper::run() {
  std::unordered_map<std::string, Progress> before;
  for (const ServiceRollout& service : rollout_.services) before.emplace(service.service, service);
  count_time();
  for (ServiceRollout& service : rollout_.services) note_what_happened(service);
  look_for_failures();
  bool moved = rollout_.outcome == Outcome::kRunning;
  while (moved) {
    moved = false;
    for (ServiceRollout& service : rollout_.services) moved = advance(service) || moved;
    moved = switch_routes() || moved;
  }
  finish_if_done();
  for (ServiceRollout& service : rollout_.services) {
    const Progress& then = before.at(service.service);
    if (then == Progress(service)) continue;
    if (then.stage != service.stage && is_done(service)) service.took = spent(service);
    rollout_.touched.insert(service.service);
  }
  result_.changed = change_.commit();
  if (rollout_.outcome == Outcome::kRunning) result_.wake_after = wake_after();
  return std::move(result_);
}

StepResult step(Rollout& rollout, DesiredState& state, const model::NodeObserved& observed, Now now) {
  if (rollout.outcome != Outcome::kRunning) return {};
  return Stepper(rollout, state, observed, now).run();
}

}  // namespace freehold::control
