// When a rollout turns back, and what is said about it.
#include <fmt/core.h>

#include <algorithm>

#include "control/stepper.h"

namespace freehold::control {

std::string describe(const model::ObservedInstance& instance) {
  if (instance.last_exit) {
    const model::Exit& exit = *instance.last_exit;
    if (!exit.failure.empty()) return "it could not be started: " + exit.failure;
    if (exit.out_of_memory) return "it ended because it went over its memory limit";
    if (exit.signal != 0) return fmt::format("it ended by signal {}", exit.signal);
    if (instance.state != model::InstanceState::kUnhealthy) return fmt::format("it ended with exit code {}", exit.code);
  }
  return instance.reason.empty() ? "no reason was given" : instance.reason;
}

namespace {

// With where to look, if it came so far as to say something itself.
std::string explain(const model::ObservedInstance& instance) {
  bool ran = instance.last_exit && instance.last_exit->failure.empty();
  return describe(instance) + (ran ? fmt::format(" (`freehold logs {}` has what it printed)", instance.service) : "");
}

}  // namespace

std::optional<std::string> Stepper::failure_of(const ServiceRollout& service, const Placed& placed) const {
  const std::string& id = placed.instance.id;
  const model::ObservedInstance* instance = seen(id);
  if (instance == nullptr) return std::nullopt;
  if (placed.instance.wanted == model::Wanted::kOnce) {
    if (service.prepare != Prepare::kRunning || id != service.preparer) return std::nullopt;
    if (instance->state != model::InstanceState::kStopped) return std::nullopt;
    const std::optional<model::Exit>& exit = instance->last_exit;
    if (exit && exit->code == 0 && exit->signal == 0 && exit->failure.empty()) return std::nullopt;
    return fmt::format("{} did not prepare {}: {}", id, service.service,
                       exit ? explain(*instance) : "how it ended is not known");
  }
  if (!is_wanted(placed) || !service.fresh.contains(id)) return std::nullopt;
  if (instance->state == model::InstanceState::kCrashLooping)
    return fmt::format("{} is crash-looping: {}", id, explain(*instance));
  if (instance->state == model::InstanceState::kStopped)
    return fmt::format("{} will not run: {}", id, explain(*instance));
  // Going back is to what ran before: it is given its whole time.
  if (placed.proven || !forward()) return std::nullopt;
  if (instance->restarts >= kEndsBeforeFailure)
    return fmt::format("{} ended {} times before it was healthy: {}", id, instance->restarts, explain(*instance));
  if (instance->state == model::InstanceState::kUnhealthy)
    return fmt::format("{} never became healthy: {}", id, explain(*instance));
  return std::nullopt;
}

std::optional<std::string> Stepper::failure_of(const ServiceRollout& service) const {
  if (service.stage != Stage::kRolling && service.stage != Stage::kSettled) return std::nullopt;
  if (goal(service).leaves()) return std::nullopt;
  auto list = change_.state().instances.find(service.service);
  if (list != change_.state().instances.end()) {
    for (const Placed& placed : list->second) {
      if (auto failure = failure_of(service, placed)) return failure;
    }
  }
  if (service.stage != Stage::kRolling || spent(service) < deadline(service)) return std::nullopt;
  std::string text = fmt::format("{} was not done within {}", service.service, format(deadline(service)));
  if (list == change_.state().instances.end()) return text;
  for (const Placed& placed : list->second) {
    if (service.prepare == Prepare::kRunning && placed.instance.id == service.preparer)
      return text + fmt::format(": {} has not finished preparing it", placed.instance.id);
    if (placed.instance.wanted == model::Wanted::kStopped && seen(placed.instance.id) != nullptr)
      return text + fmt::format(": {} has not stopped", placed.instance.id);
    if (is_up(placed) || placed.instance.wanted == model::Wanted::kStopped) continue;
    const model::ObservedInstance* instance = seen(placed.instance.id);
    if (instance == nullptr) return text + fmt::format(": the node says nothing about {}", placed.instance.id);
    std::string_view state = enum_names(instance->state)[static_cast<size_t>(instance->state)];
    return text + fmt::format(": {} is {}{}{}", placed.instance.id, state, instance->reason.empty() ? "" : ": ",
                              instance->reason);
  }
  return text;
}

// What cannot be stopped in time must not hold up the rest; it stays unwanted, and is swept when it is gone.
void Stepper::give_up_if_late(ServiceRollout& service) {
  if (service.stage != Stage::kRolling || !goal(service).leaves() || spent(service) < deadline(service)) return;
  service.stage = Stage::kStuck;
  tell("service.stuck", service.service, "",
       fmt::format("{} has not stopped within {}", service.service, format(deadline(service))));
}

// An address that this rollout adds and the node cannot listen on. One that was there before is no fault of this one.
std::optional<std::string> Stepper::unreachable() const {
  if (!forward() || !rollout_.routing_to || !rollout_.routed || observed_.unreachable.empty()) return std::nullopt;
  if (observed_.revision < rollout_.routed_revision) return std::nullopt;
  if (rollout_.routing_to->gateway.http == rollout_.routing_from->gateway.http) return std::nullopt;
  return observed_.unreachable.front();
}

void Stepper::look_for_failures() {
  if (auto failure = unreachable()) {
    tell("rollout.undoing", "", "", "going back: " + *failure);
    point_back(rollout_, *std::move(failure));
    read_services();
    return;
  }
  for (ServiceRollout& service : rollout_.services) {
    give_up_if_late(service);
    std::optional<std::string> failure = failure_of(service);
    if (!failure) continue;
    if (!forward()) {
      if (service.stage != Stage::kRolling) continue;
      service.stage = Stage::kStuck;
      rollout_.undo_reason += (rollout_.undo_reason.empty() ? "" : "; ") + *failure;
      tell("service.stuck", service.service, "", *failure);
      continue;
    }
    if (goal(service).spec->deploy.on_failure == model::OnFailure::kHold) {
      rollout_.reason = *failure;
      finish(Outcome::kFailed);
      return;
    }
    tell("rollout.undoing", service.service, "", "going back: " + *failure);
    point_back(rollout_, *std::move(failure));
    read_services();
    return;
  }
}

void point_back(Rollout& rollout, std::string reason) {
  rollout.direction = Direction::kUndo;
  rollout.reason = std::move(reason);
  rollout.closing = Duration::zero();
  rollout.routed = !rollout.routing_to.has_value();
  for (ServiceRollout& service : rollout.services) {
    service.stage = Stage::kWaiting;
    service.prepare = Prepare::kNone;
    service.preparer.clear();
    service.rolling_since = Duration::zero();
    service.took = Duration::zero();
    service.fresh.clear();
    rollout.touched.insert(service.service);
  }
  put_in_order(rollout);
}

void resume(Rollout& rollout, Now now) { rollout.last_step = now.monotonic; }

void request_undo(Rollout& rollout, std::string reason) {
  if (rollout.outcome != Outcome::kRunning || rollout.direction == Direction::kUndo) return;
  rollout.asked_back = true;
  point_back(rollout, std::move(reason));
}

void give_up(Rollout& rollout, const std::string& who, Now now) {
  if (rollout.outcome != Outcome::kRunning) return;
  rollout.outcome = Outcome::kUndone;
  rollout.finished = now.wall;
  rollout.given_up_by = who;
}

void abandon(Rollout& rollout, std::string_view reason, Now now) {
  if (rollout.outcome != Outcome::kRunning) return;
  rollout.outcome = Outcome::kFailed;
  rollout.finished = now.wall;
  std::string& why = rollout.direction == Direction::kForward ? rollout.reason : rollout.undo_reason;
  if (!why.empty()) why += "; ";
  why += reason;
}

GenerationStatus generation_status(const Rollout& rollout) {
  switch (rollout.outcome) {
    case Outcome::kRunning:
      return GenerationStatus::kApplying;
    case Outcome::kDone:
      return GenerationStatus::kCurrent;
    case Outcome::kUndone: {
      bool failed = rollout.direction == Direction::kUndo && !rollout.asked_back;
      return failed ? GenerationStatus::kFailed : GenerationStatus::kUndone;
    }
    case Outcome::kFailed:
      return GenerationStatus::kFailed;
  }
  return GenerationStatus::kFailed;
}

std::string outcome_text(const Rollout& rollout) {
  bool forward = rollout.direction == Direction::kForward;
  switch (rollout.outcome) {
    case Outcome::kRunning:
      return forward ? "under way" : "going back: " + rollout.reason;
    case Outcome::kDone:
      return rollout.reason.empty() ? "done" : "done; " + rollout.reason;
    case Outcome::kUndone:
      if (!rollout.given_up_by.empty()) {
        return fmt::format("given up: {} asked for everything to stop{}", rollout.given_up_by,
                           rollout.reason.empty() ? "" : "; it was going back: " + rollout.reason);
      }
      return rollout.previous == 0 ? fmt::format("taken back: {}", rollout.reason)
                                   : fmt::format("went back to generation {}: {}", rollout.previous, rollout.reason);
    case Outcome::kFailed:
      if (forward) return fmt::format("failed and left as it is: {}", rollout.reason);
      if (rollout.undo_reason.empty()) return fmt::format("failed; what it started was stopped: {}", rollout.reason);
      return fmt::format("failed: {}; going back failed too: {}", rollout.reason, rollout.undo_reason);
  }
  return "";
}

}  // namespace freehold::control
