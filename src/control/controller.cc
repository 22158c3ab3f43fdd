#include "control/controller.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "control/jobs.h"
#include "control/live_contents.h"

namespace freehold::control {
namespace {

constexpr Duration kLeaseTime = std::chrono::seconds(30);
constexpr Duration kHeartbeat = std::chrono::seconds(10);
// Uploads that no apply has named yet are left alone for this long.
constexpr Duration kContentGrace = std::chrono::hours(1);
constexpr Duration kTryAgain = std::chrono::seconds(1);  // after the disk took nothing

std::string subject_of(const RolloutEvent& event, const Rollout& rollout) {
  if (!event.instance.empty()) return event.instance;
  if (!event.service.empty()) return event.service;
  return fmt::format("generation {}", rollout.target);
}

}  // namespace

codec::Json detail_of(const Rollout& rollout) {
  codec::Json detail;
  detail.set("rollout", rollout.id).set("generation", rollout.target);
  return detail;
}

Controller::Controller(Parts parts, Options options, Ledger ledger)
    : parts_(parts),
      options_(std::move(options)),
      ledger_(std::move(ledger)),
      leases_(parts.store, parts.loop.clock(), {.boot = options_.boot_id, .span = store::LeaseSpan::kOneMachine}),
      timer_(parts.loop, runtime::complete<&Controller::on_timer>(this)),
      heartbeat_(parts.loop, runtime::complete<&Controller::on_heartbeat>(this)) {}

Controller::~Controller() = default;

Result<std::unique_ptr<Controller>> Controller::open(Parts parts, Options options) {
  FH_ASSIGN(Ledger ledger, Ledger::open(parts.store));
  std::unique_ptr<Controller> controller(new Controller(parts, std::move(options), std::move(ledger)));
  FH_TRY(controller->recompose());
  auto& rollout = controller->ledger_.rollout;
  if (!rollout) return controller;
  if (rollout->outcome == Outcome::kRunning) {
    // The one before us held the lease, and the ledger's fence has just ended it: its lease is ours to take.
    auto held = controller->leases_.read(kChangesLease);
    if (held) (void)controller->leases_.release(kChangesLease, held->lease.owner).ok();
    FH_TRY(controller->take_lease(fmt::format("{} of generation {} by {}",
                                              enum_names(rollout->kind)[static_cast<size_t>(rollout->kind)],
                                              rollout->target, rollout->who)));
    resume(*rollout, controller->now());
    controller->record({"rollout.resumed", fmt::format("generation {}", rollout->target),
                        "control started again and goes on with what was under way", rollout->who,
                        detail_of(*rollout)});
  }
  controller->timer_.start(Duration::zero());
  return controller;
}

Result<void> Controller::recompose() {
  generation_.reset();
  if (ledger_.current == 0) {
    composed_.reset();
    return {};
  }
  FH_ASSIGN(generation_, ledger_.generation(ledger_.current));
  FH_ASSIGN(Composed composed,
            compose(*generation_, ledger_.allocations, ledger_.overrides, composed_ ? &*composed_ : nullptr));
  composed_ = std::move(composed);
  auto kept = parts_.events.keep(composed_->routing.keep.events);
  if (!kept) log_warning("control", "old events were not removed: {}", kept.error().message());
  return {};
}

Result<void> Controller::take_lease(const std::string& what) {
  FH_ASSIGN(lease_, leases_.acquire(kChangesLease, options_.owner, kLeaseTime, what));
  heartbeat_.start(kHeartbeat);
  return {};
}

void Controller::on_heartbeat(int) {
  if (!lease_) return;
  auto renewed = leases_.heartbeat(*lease_);
  if (renewed) {
    lease_ = *std::move(renewed);
  } else {
    log_warning("control", "the lease of the rollout could not be renewed: {}", renewed.error().message());
  }
  heartbeat_.start(kHeartbeat);
}

Result<void> Controller::refuse_while_unwritten() {
  if (write_down()) return {};
  return unwritable_->with_context("what was done last could not be stored yet");
}

Result<void> Controller::refuse_while_rolling() {
  FH_TRY(refuse_while_unwritten());
  const auto& rollout = ledger_.rollout;
  if (!rollout || rollout->outcome != Outcome::kRunning) return {};
  return Error(
      ErrorCode::kConflict,
      fmt::format("{} towards generation {} by {} is under way since {}; wait for it, or see `freehold status`",
                  enum_names(rollout->kind)[static_cast<size_t>(rollout->kind)], rollout->target, rollout->who,
                  format_time(rollout->started)));
}

Rollout Controller::rollout_to(const Composed& target, const Overrides& overrides, RolloutKind kind,
                               const std::string& who) const {
  RolloutStart start;
  start.kind = kind;
  start.id = ledger_.rollout ? ledger_.rollout->id + 1 : 1;
  start.who = who;
  start.target = &target;
  start.previous = composed_or_null();
  start.overrides_from = ledger_.overrides;
  start.overrides_to = overrides;
  start.now = now();
  return begin_rollout(start, ledger_.desired);
}

// Whether the node is asked for exactly this: an apply that failed may have left something else.
bool Controller::is_asked_for(const Composed& composed) const {
  Rollout rollout = rollout_to(composed, ledger_.overrides, RolloutKind::kReconcile, "");
  return rollout.services.empty() && rollout.routed;
}

Result<Accepted> Controller::begin(RolloutKind kind, Draft draft, const std::string& who) {
  Rollout rollout = rollout_to(draft.composed, draft.overrides, kind, who);
  bool new_generation = draft.generation.number != ledger_.current;
  FH_TRY(take_lease(
      fmt::format("{} of generation {} by {}", enum_names(kind)[static_cast<size_t>(kind)], rollout.target, who)));
  draft.generation.status = GenerationStatus::kApplying;
  uint64_t event = parts_.events.last_id();
  std::optional<Rollout> rollout_before = std::exchange(ledger_.rollout, std::move(rollout));
  Allocations allocations_before = std::exchange(ledger_.allocations, std::move(draft.allocations));
  Ledger::Changed changed{.rollout = true, .allocations = true, .secrets = std::move(draft.sealed), .lease = &*lease_};
  if (new_generation) changed.generations.push_back(&draft.generation);
  auto written = ledger_.commit(changed);
  if (!written) {
    (void)leases_.release(*lease_).ok();
    lease_.reset();
    heartbeat_.cancel();
    // What was not written did not happen.
    ledger_.rollout = std::move(rollout_before);
    ledger_.allocations = std::move(allocations_before);
    return written.error();
  }
  finishing_ = false;  // whoever was told to end, and is still there, is to go on
  record({fmt::format("{}.started", enum_names(kind)[static_cast<size_t>(kind)]),
          fmt::format("generation {}", ledger_.rollout->target), draft.generation.message, who,
          detail_of(*ledger_.rollout)});
  end_recorded_ = false;
  Accepted accepted{ledger_.rollout->id, ledger_.rollout->target, event};
  timer_.start(Duration::zero());
  return accepted;
}

void Controller::advance() {
  if (!write_down()) return;
  auto& rollout = ledger_.rollout;
  bool rolling = rollout && rollout->outcome == Outcome::kRunning;
  if (!rolling) {
    if (connected_ && sweep(ledger_.desired, observed_)) {
      unwritten_.any = unsent_ = true;
      if (!write_down()) return;
    }
    see_to_the_end();
    return;
  }
  StepResult result = step(*rollout, ledger_.desired, observed_, now());
  unsent_ = unsent_ || result.changed;
  unwritten_.ended = rollout->outcome != Outcome::kRunning;
  unwritten_.any = result.changed || !result.events.empty() || unwritten_.ended;
  unwritten_.events = std::move(result.events);
  if (!write_down()) return;
  if (rollout->outcome == Outcome::kRunning && result.wake_after) timer_.start(*result.wake_after);
}

// Stores what the last step decided, and then tells of it: after a crash we know what the node was told. False: the
// disk did not take it; it is tried again, and nothing else is decided before.
bool Controller::write_down() {
  if (!unwritten_.any) return true;
  auto written = unwritten_.ended ? commit_end() : commit_step();
  if (!written) {
    if (!unwritable_)
      log_error("control", "cannot write the state, and tries until it can: {}", written.error().message());
    unwritable_ = written.error();
    // Another control has taken over; this one may change nothing any more.
    if (written.error().code() == ErrorCode::kConflict) parts_.loop.stop();
    timer_.start(kTryAgain);
    return false;
  }
  if (std::exchange(unwritable_, {})) log_info("control", "the state can be written again");
  Unwritten done = std::exchange(unwritten_, {});
  for (const RolloutEvent& event : done.events) {
    record({event.kind, subject_of(event, *ledger_.rollout), event.text, ledger_.rollout->who,
            detail_of(*ledger_.rollout)});
  }
  if (done.ended) finish_rollout();
  send_desired();
  if (done.ended) see_to_the_end();
  return true;
}

Result<void> Controller::commit_step() {
  bool rolling = ledger_.rollout && ledger_.rollout->outcome == Outcome::kRunning;
  return ledger_.commit({.rollout = rolling});
}

// The last step, and what follows from it for the generations, in one: a crash must not find a rollout that is done
// towards a generation that is not current.
Result<void> Controller::commit_end() {
  const Rollout& rollout = *ledger_.rollout;
  bool done = rollout.outcome == Outcome::kDone;
  Ledger::Changed changed{.rollout = true, .overrides = true};
  std::optional<GenerationHead> target;
  std::optional<GenerationHead> previous;
  if (rollout.target != ledger_.current) {
    FH_ASSIGN(target, ledger_.head(rollout.target));
    target->status = generation_status(rollout);
    target->outcome = outcome_text(rollout);
    changed.heads.push_back(&*target);
    if (done && ledger_.current != 0) {
      FH_ASSIGN(previous, ledger_.head(ledger_.current));
      previous->status = GenerationStatus::kSuperseded;
      changed.heads.push_back(&*previous);
    }
    changed.current = done;
  }
  uint64_t current_before = ledger_.current;
  Overrides overrides_before = std::exchange(ledger_.overrides, done ? rollout.overrides_to : rollout.overrides_from);
  if (changed.current) ledger_.current = rollout.target;
  auto written = ledger_.commit(changed);
  if (!written) {
    ledger_.current = current_before;
    ledger_.overrides = std::move(overrides_before);
  }
  return written;
}

void Controller::finish_rollout() {
  if (lease_) (void)leases_.release(*lease_).ok();
  lease_.reset();
  heartbeat_.cancel();
  auto recomposed = recompose();
  unsent_ = true;  // its jobs are another generation's from now on, or none
  if (!recomposed) {
    // Better none than one that goes by what is not so any more; the next one reads it again.
    log_error("control", "{}", recomposed.error().message());
    parts_.loop.stop();
  }
}

// What comes after a rollout, again and again until it is done: a crash, or a full disk, may come between.
void Controller::see_to_the_end() {
  if (!ledger_.rollout || !announce_end() || ledger_.rollout->given_up_by.empty()) return;
  std::string who = ledger_.rollout->given_up_by;  // the rollout gives way to the next
  auto begun = down(who);
  if (begun) return;
  log_error("control", "cannot stop everything, and tries until it can: {}", begun.error().message());
  timer_.start(kTryAgain);
}

// True once everybody can know how the rollout ended.
bool Controller::announce_end() {
  Rollout& rollout = *ledger_.rollout;
  if (rollout.announced) return true;
  std::string_view kind = enum_names(rollout.kind)[static_cast<size_t>(rollout.kind)];
  if (!end_recorded_) {
    end_recorded_ =
        record({fmt::format("{}.{}", kind, enum_names(rollout.outcome)[static_cast<size_t>(rollout.outcome)]),
                fmt::format("generation {}", rollout.target), outcome_text(rollout), rollout.who, detail_of(rollout)});
  }
  rollout.announced = end_recorded_;
  if (!rollout.announced || !ledger_.commit({.rollout = true})) {
    rollout.announced = false;
    timer_.start(kTryAgain);
    return false;
  }
  collect_garbage();
  if (rollout.kind == RolloutKind::kDown && rollout.outcome == Outcome::kDone) {
    finishing_ = true;
    parts_.node.finish();
  }
  return true;
}

void Controller::collect_garbage() {
  auto kept = ledger_.prune(options_.keep_generations);
  if (!kept) {
    log_warning("control", "old generations were not removed: {}", kept.error().message());
    return;
  }
  auto live = live_contents(parts_.contents, *kept, ledger_.desired);
  auto collected = live ? parts_.contents.collect(*live, kContentGrace) : Result<contents::Collected>(live.error());
  if (!collected) log_warning("control", "old contents were not removed: {}", collected.error().message());
}

void Controller::send_desired() {
  if (!std::exchange(unsent_, false)) return;
  model::NodeDesired desired = node_desired(ledger_.desired);
  std::vector<std::string> secrets = secrets_needed(ledger_.desired);
  // Whoever wants everything stopped wants no run that goes on, and none that begins meanwhile.
  bool stopping =
      ledger_.rollout && ledger_.rollout->kind == RolloutKind::kDown && ledger_.rollout->outcome == Outcome::kRunning;
  if (composed_ && !ledger_.overrides.down && !stopping) {
    add_jobs(*composed_, desired);
    std::ranges::move(secrets_of_jobs(*composed_), std::back_inserter(secrets));
  }
  for (const std::string& hash : secrets) {
    auto sealed = ledger_.sealed_secret(hash);
    if (sealed) {
      desired.sealed_secrets[hash] = *std::move(sealed);
    } else {
      log_error("control", "a secret that is in use is not in the state: {}", sealed.error().message());
    }
  }
  parts_.node.want(desired);
}

void Controller::node_connected() {
  connected_ = true;
  tell_changed();
  if (finishing_) {
    parts_.node.finish();
    return;
  }
  unsent_ = true;
  // Never what is not written yet.
  if (write_down()) send_desired();
}

void Controller::node_lost() {
  connected_ = false;
  tell_changed();
}

void Controller::node_observed(model::NodeObserved observed) {
  observed_ = std::move(observed);
  advance();
  tell_changed();
}

// Whatever control does to what there is to see, it writes down too.
bool Controller::record(Occurrence occurrence) {
  tell_changed();
  auto written = parts_.events.append(occurrence);
  if (!written) {
    log_error("control", "event {} of {} could not be written: {}", occurrence.kind, occurrence.subject,
              written.error().message());
  }
  return written.ok();
}

}  // namespace freehold::control
