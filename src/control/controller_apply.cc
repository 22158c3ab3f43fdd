// What people ask for: each becomes a draft of a generation or of overrides, and then a rollout.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "control/controller.h"
#include "control/onlooker.h"
#include "control/plan_text.h"
#include "control/rollback.h"

namespace freehold::control {
namespace {

// What makes two generations run the same: everything but number, parent, time, who, why and how it ended.
codec::Json essence(Generation generation) {
  generation.number = generation.parent = generation.before = 0;
  generation.created = {};
  generation.who.clear();
  generation.message.clear();
  generation.outcome.clear();
  generation.status = GenerationStatus::kPending;
  return codec::to_json(generation);
}

}  // namespace

Result<Plan> Controller::plan(const model::Submission& submission, const std::string& who) {
  FH_ASSIGN(Draft planned, draft_submission(base(), submission, parts_.secrets, nullptr));
  Plan plan = make_plan(planned.composed, composed_or_null(), observed_or_null(), ledger_.overrides,
                        planned.generation.created);
  if (!connected_)
    plan.departures.push_back(
        {DepartureKind::kNode, "", "no agent answers: what really runs was not looked at", "", {}});
  record({"plan.made",
          fmt::format("generation {}", plan.target),
          plan.empty() ? "nothing to change"
                       : fmt::format("{} services and {} routes would change", plan.changes.size(), plan.routes.size()),
          who,
          {}});
  return plan;
}

Result<Accepted> Controller::apply(const model::Submission& submission, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  if (submission.base) FH_TRY(check_base(*submission.base, ledger_.current));
  FH_ASSIGN(Draft planned, draft_submission(base(), submission, parts_.secrets, &parts_.contents));
  planned.generation.who = who;
  if (generation_ && essence(planned.generation) == essence(*generation_)) {
    // The same again: no new generation, but what an override or a failure left undone is done.
    planned.generation = *generation_;
    FH_ASSIGN(planned.composed, compose(planned.generation, planned.allocations, planned.overrides, &*composed_));
    if (planned.overrides == ledger_.overrides && is_asked_for(planned.composed))
      return Accepted{0, ledger_.current, parts_.events.last_id()};
  }
  return begin(RolloutKind::kApply, std::move(planned), who);
}

Result<Accepted> Controller::rollback(std::optional<uint64_t> number, const std::string& who) {
  FH_TRY(refuse_while_unwritten());
  auto& running = ledger_.rollout;
  bool rolling = running && running->outcome == Outcome::kRunning;
  if (rolling && !number && running->kind == RolloutKind::kApply && running->direction == Direction::kForward)
    return take_back(who);
  FH_TRY(refuse_while_rolling());
  Leftovers leftovers = composed_ && !is_asked_for(*composed_) ? Leftovers::kSome : Leftovers::kNone;
  FH_ASSIGN(RollbackTarget target, choose_rollback(ledger_, number, leftovers));
  Draft planned;
  if (target.number == ledger_.current) {
    planned = {*generation_, ledger_.allocations, ledger_.overrides, *composed_, {}};
  } else {
    FH_ASSIGN(planned, draft_rollback(base(), target.number));
    planned.generation.who = who;
  }
  Plan plan = make_plan(planned.composed, composed_or_null(), observed_or_null(), ledger_.overrides, now().wall);
  FH_ASSIGN(Accepted accepted, begin(RolloutKind::kRollback, std::move(planned), who));
  accepted.text = target.why + "\n" + render(plan, Colour::kOff);
  return accepted;
}

// The generation before the one that is being applied is the current one still: back to it is the way that it came.
Result<Accepted> Controller::take_back(const std::string& who) {
  Rollout& rollout = *ledger_.rollout;
  Rollout before = rollout;
  request_undo(rollout, fmt::format("{} asked for a rollback", who));
  auto written = ledger_.commit({.rollout = true});
  if (!written) {
    rollout = std::move(before);
    return written.error();
  }
  uint64_t event = parts_.events.last_id();
  record({"rollout.undoing", fmt::format("generation {}", rollout.target), "going back: " + rollout.reason, who,
          detail_of(rollout)});
  timer_.start(Duration::zero());
  std::string text = fmt::format("The apply of generation {}, which is under way, is taken back.\n", rollout.target);
  return Accepted{rollout.id, rollout.previous, event, /*undoes=*/true, std::move(text)};
}

Result<Accepted> Controller::begin_override(RolloutKind kind, Overrides overrides, const std::string& who,
                                            const std::string& what) {
  Draft planned;
  planned.generation = *generation_;
  planned.generation.message = what;
  planned.allocations = ledger_.allocations;
  planned.overrides = std::move(overrides);
  FH_ASSIGN(planned.composed, compose(planned.generation, planned.allocations, planned.overrides, &*composed_));
  return begin(kind, std::move(planned), who);
}

Result<Accepted> Controller::restart(const std::string& service, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  FH_TRY(require_service(service));
  Overrides overrides = ledger_.overrides;
  ++overrides.restarts[service];
  return begin_override(RolloutKind::kRestart, std::move(overrides), who, fmt::format("restart of {}", service));
}

Result<Accepted> Controller::scale(const std::string& service, uint32_t replicas, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  FH_TRY(require_service(service));
  const model::Service& declared = generation_->organisation.services.at(service);
  FH_TRY(check_scale(declared, replicas));
  Overrides overrides = ledger_.overrides;
  if (replicas == declared.replicas) {
    overrides.scale.erase(service);  // as the file says: nothing departs from it any more
  } else {
    overrides.scale[service] = {replicas, who, now().wall};
  }
  return begin_override(RolloutKind::kScale, std::move(overrides), who,
                        fmt::format("{} to {} instances", service, replicas));
}

Result<Accepted> Controller::drain(const std::string& subject, bool off, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  std::string service(service_of(subject).empty() ? std::string_view(subject) : service_of(subject));
  FH_TRY(require_service(service));
  if (service != subject) {
    auto list = ledger_.desired.instances.find(service);
    bool known =
        list != ledger_.desired.instances.end() &&
        std::ranges::any_of(list->second, [&](const PlacedInstance& placed) { return placed.instance.id == subject; });
    if (!known) return Error(ErrorCode::kNotFound, fmt::format("there is no instance {}", subject));
  }
  Overrides overrides = ledger_.overrides;
  if (off) {
    overrides.drained.erase(subject);
  } else {
    overrides.drained[subject] = {who, now().wall};
  }
  return begin_override(RolloutKind::kDrain, std::move(overrides), who,
                        fmt::format("{} {}", subject, off ? "takes requests again" : "takes no new requests"));
}

Result<Accepted> Controller::down(const std::string& who) {
  FH_TRY(refuse_while_unwritten());
  auto& rollout = ledger_.rollout;
  if (rollout && rollout->outcome == Outcome::kRunning) {
    if (rollout->kind == RolloutKind::kDown) return Accepted{rollout->id, rollout->target, parts_.events.last_id()};
    // Whoever wants everything stopped does not want to wait for what is being started, nor for the way back.
    Rollout before = *rollout;
    give_up(*rollout, who, now());
    auto written = commit_end();
    if (!written) {
      *rollout = std::move(before);
      return written.error();
    }
    timer_.cancel();
    finish_rollout();
    (void)announce_end();
  }
  if (!generation_) return down_before_first_generation(who);
  Overrides overrides = ledger_.overrides;
  overrides.down = AskedBy{who, now().wall};
  return begin_override(RolloutKind::kDown, std::move(overrides), who, "everything stops");
}

// What a first apply that was given up, or failed, has left is stopped like everything else.
Result<Accepted> Controller::down_before_first_generation(const std::string& who) {
  if (!ledger_.rollout) {
    finishing_ = true;
    parts_.node.finish();
    return Accepted{0, 0, parts_.events.last_id()};
  }
  Draft nothing;
  nothing.generation.message = "everything stops";
  nothing.composed.organisation = ledger_.rollout->organisation;
  nothing.allocations = ledger_.allocations;
  nothing.overrides = ledger_.overrides;
  nothing.overrides.down = AskedBy{who, now().wall};
  return begin(RolloutKind::kDown, std::move(nothing), who);
}

Result<void> Controller::require_service(const std::string& service) const {
  if (!generation_) return Error(ErrorCode::kNotFound, "nothing has been applied yet; run `freehold up`");
  auto found = generation_->organisation.services.find(service);
  if (found != generation_->organisation.services.end() && found->second.job) {
    return Error(ErrorCode::kInvalid,
                 fmt::format("{} is a job, which has no instances; `freehold run {}` starts it now", service, service));
  }
  if (found != generation_->organisation.services.end()) return {};
  std::vector<std::string_view> names;
  for (const auto& [name, declared] : generation_->organisation.services) names.push_back(name);
  std::string_view near = near_name(service, names);
  return Error(ErrorCode::kNotFound, fmt::format("there is no service '{}'{}", service,
                                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Result<Plan> Controller::diff(uint64_t from, uint64_t to) {
  return compare_generations(ledger_, from, to, options_.addresses, now().wall);
}

std::vector<Departure> Controller::departures() const {
  if (!composed_) return {};
  return make_plan(*composed_, &*composed_, observed_or_null(), ledger_.overrides, now().wall).departures;
}

std::vector<ServiceProgress> Controller::progress() const {
  if (!ledger_.rollout) return {};
  return progress_of(*ledger_.rollout, ledger_.desired, observed_, now());
}

}  // namespace freehold::control
