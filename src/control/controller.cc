#include "control/controller.h"

#include <fmt/core.h>

#include <set>

#include "base/log.h"
#include "contents/manifest.h"

namespace freehold::control {
namespace {

constexpr std::string_view kApplyLease = "apply";
constexpr Duration kLeaseTime = std::chrono::seconds(30);
constexpr Duration kHeartbeat = std::chrono::seconds(10);
// Uploads that no apply has named yet are left alone for this long.
constexpr Duration kContentGrace = std::chrono::hours(1);
constexpr Bytes kLargestManifest{64 << 20};

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
  if (rollout && rollout->outcome == Outcome::kRunning) {
    // The one before us held the lease, and the ledger's fence has just ended it: its lease is ours to take.
    auto held = controller->leases_.read(kApplyLease);
    if (held) (void)controller->leases_.release(kApplyLease, held->lease.owner).ok();
    FH_TRY(controller->take_lease(fmt::format("{} of generation {} by {}",
                                              enum_names(rollout->kind)[static_cast<size_t>(rollout->kind)],
                                              rollout->target, rollout->who)));
    resume(*rollout, controller->now());
    controller->record({"rollout.resumed", fmt::format("generation {}", rollout->target),
                        "control started again and goes on with what was under way", rollout->who,
                        detail_of(*rollout)});
    controller->timer_.start(Duration::zero());
  } else if (rollout && !rollout->given_up_by.empty()) {
    // We died between its end and the beginning of what it made way for.
    std::string who = rollout->given_up_by;
    controller->finish_rollout();
    FH_TRY(controller->down(who));
  }
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
  return {};
}

Result<void> Controller::take_lease(const std::string& what) {
  FH_ASSIGN(lease_, leases_.acquire(kApplyLease, options_.owner, kLeaseTime, what));
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

Result<void> Controller::refuse_while_rolling() const {
  const auto& rollout = ledger_.rollout;
  if (!rollout || rollout->outcome != Outcome::kRunning) return {};
  return Error(
      ErrorCode::kConflict,
      fmt::format("{} towards generation {} by {} is under way since {}; wait for it, or see `freehold status`",
                  enum_names(rollout->kind)[static_cast<size_t>(rollout->kind)], rollout->target, rollout->who,
                  format_time(rollout->started)));
}

Result<Accepted> Controller::begin(RolloutKind kind, Draft draft, const std::string& who) {
  const Composed* previous = composed_ ? &*composed_ : nullptr;
  RolloutStart start;
  start.kind = kind;
  start.id = ledger_.rollout ? ledger_.rollout->id + 1 : 1;
  start.who = who;
  start.target = &draft.composed;
  start.previous = previous;
  start.overrides_from = ledger_.overrides;
  start.overrides_to = draft.overrides;
  start.now = now();
  Rollout rollout = begin_rollout(start, ledger_.desired);

  bool new_generation = draft.generation.number != ledger_.current;
  FH_TRY(take_lease(
      fmt::format("{} of generation {} by {}", enum_names(kind)[static_cast<size_t>(kind)], rollout.target, who)));
  draft.generation.status = GenerationStatus::kApplying;
  uint64_t event = parts_.events.last_id();
  ledger_.rollout = std::move(rollout);
  ledger_.allocations = draft.allocations;
  Ledger::Changed changed{.rollout = true, .allocations = true, .secrets = std::move(draft.sealed), .lease = &*lease_};
  if (new_generation) changed.generations.push_back(&draft.generation);
  auto written = ledger_.commit(changed);
  if (!written) {
    (void)leases_.release(*lease_).ok();
    lease_.reset();
    // What was not written did not happen.
    FH_ASSIGN(ledger_, Ledger::open(parts_.store));
    return written.error();
  }
  record({fmt::format("{}.started", enum_names(kind)[static_cast<size_t>(kind)]),
          fmt::format("generation {}", ledger_.rollout->target), draft.generation.message, who,
          detail_of(*ledger_.rollout)});
  Accepted accepted{ledger_.rollout->id, ledger_.rollout->target, event};
  timer_.start(Duration::zero());
  return accepted;
}

void Controller::advance() {
  auto& rollout = ledger_.rollout;
  bool rolling = rollout && rollout->outcome == Outcome::kRunning;
  if (!rolling) {
    if (connected_ && sweep(ledger_.desired, observed_)) {
      auto written = ledger_.commit({.desired = true});
      if (!written) log_error("control", "cannot write the state: {}", written.error().message());
      send_desired();
    }
    return;
  }
  StepResult result = step(*rollout, ledger_.desired, observed_, now());
  // Written before the node hears of it: after a crash we know what it was told.
  if (result.changed || !result.events.empty() || rollout->outcome != Outcome::kRunning) {
    auto written = ledger_.commit({.desired = result.changed, .rollout = true});
    if (!written) {
      log_error("control", "cannot write the state, trying again: {}", written.error().message());
      timer_.start(std::chrono::seconds(1));
      return;
    }
  }
  for (const RolloutEvent& event : result.events)
    record({event.kind, subject_of(event, *rollout), event.text, rollout->who, detail_of(*rollout)});
  if (result.changed) send_desired();
  if (rollout->outcome != Outcome::kRunning) {
    finish_rollout();
  } else if (result.wake_after) {
    timer_.start(*result.wake_after);
  }
}

void Controller::finish_rollout() {
  Rollout& rollout = *ledger_.rollout;
  Ledger::Changed changed{.rollout = true, .overrides = true};
  auto target = ledger_.generation(rollout.target);
  auto previous = ledger_.current != 0 && ledger_.current != rollout.target
                      ? ledger_.generation(ledger_.current)
                      : Result<Generation>(Error(ErrorCode::kNotFound, ""));
  bool done = rollout.outcome == Outcome::kDone;
  if (target && rollout.target != ledger_.current) {
    target->status = generation_status(rollout);
    target->outcome = outcome_text(rollout);
    changed.generations.push_back(&*target);
    if (done && previous) {
      previous->status = GenerationStatus::kSuperseded;
      changed.generations.push_back(&*previous);
    }
    if (done) {
      ledger_.current = rollout.target;
      changed.current = true;
    }
  }
  ledger_.overrides = done ? rollout.overrides_to : rollout.overrides_from;
  auto written = ledger_.commit(changed);
  if (!written) log_error("control", "cannot write how the rollout ended: {}", written.error().message());
  if (lease_) (void)leases_.release(*lease_).ok();
  lease_.reset();
  heartbeat_.cancel();
  auto recomposed = recompose();
  if (!recomposed) log_error("control", "{}", recomposed.error().message());
  std::string_view kind = enum_names(rollout.kind)[static_cast<size_t>(rollout.kind)];
  record({fmt::format("{}.{}", kind, enum_names(rollout.outcome)[static_cast<size_t>(rollout.outcome)]),
          fmt::format("generation {}", rollout.target), outcome_text(rollout), rollout.who, detail_of(rollout)});
  collect_garbage();
  if (rollout.kind == RolloutKind::kDown && done) {
    finishing_ = true;
    parts_.node.finish();
  }
}

void Controller::collect_garbage() {
  auto kept = ledger_.prune(options_.keep_generations);
  if (!kept) {
    log_warning("control", "old generations were not removed: {}", kept.error().message());
    return;
  }
  std::set<std::string> live;
  auto keep_manifest = [&](const std::string& digest) {
    if (digest.empty() || !live.insert(digest).second) return;
    auto text = parts_.contents.read(digest, kLargestManifest);
    if (!text) return;
    auto manifest = contents::Manifest::parse(*text, {});
    if (!manifest) return;
    for (const contents::ManifestEntry& entry : manifest->entries) live.insert(entry.digest);
  };
  for (const Generation& generation : *kept) {
    for (const auto& [path, digest] : generation.sources) live.insert(digest);
    for (const auto& [service, digest] : generation.releases) keep_manifest(digest);
    for (const auto& [folder, digest] : generation.files) keep_manifest(digest);
  }
  for (const auto& [fingerprint, runtime] : ledger_.desired.runtimes) keep_manifest(runtime.release);
  auto collected = parts_.contents.collect(live, kContentGrace);
  if (!collected) log_warning("control", "old contents were not removed: {}", collected.error().message());
}

void Controller::send_desired() {
  model::NodeDesired desired = node_desired(ledger_.desired);
  for (const std::string& hash : secrets_needed(ledger_.desired)) {
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
  if (finishing_) {
    parts_.node.finish();
    return;
  }
  send_desired();
}

void Controller::node_lost() { connected_ = false; }

void Controller::node_observed(model::NodeObserved observed) {
  observed_ = std::move(observed);
  advance();
}

void Controller::record(Occurrence occurrence) {
  auto written = parts_.events.append(occurrence);
  if (!written)
    log_error("control", "event {} of {} could not be written: {}", occurrence.kind, occurrence.subject,
              written.error().message());
}

}  // namespace freehold::control
