// Rollout: the state machine that takes a node from one composed generation to another, without losing a request, or
// back again.
//
//   Rollout rollout = begin_rollout(start, state);
//   store(rollout, state);                                   // in one transaction
//   on every observation, and after `wake_after`:
//     StepResult result = step(rollout, state, observed, now);
//     store(rollout, state); if (result.changed) send(node_desired(state));
//   until rollout.outcome != Outcome::kRunning.
//
// A step decides from what is stored and what is observed alone, so control may die between any two of them and go on
// with the stored pair: call resume() once first. Rules:
//   - A service is changed when all that it needs are done. Unchanged services are not touched.
//   - An apply runs `prepare` once, before the first new instance. Restart, scale and going back do not run it.
//   - New instances start first, at most `batch` at a time beyond those that serve; when one is healthy and serving, an
//     old one is stopped. At no time are fewer than min(old, new replicas) serving instances left by a decision of
//     ours.
//   - A volume with one writer turns that round: stop, wait until it is gone, prepare, start.
//   - Routes switch when all services that they name are done; what they named before is stopped after that, in reverse
//     order of need.
//   - A new instance that crash-loops, ends kEndsBeforeFailure times before it was healthy, becomes unhealthy before it
//     was healthy, or is not healthy within deploy.deadline, and a failed `prepare`, turn the whole rollout back
//     (deploy.on_failure: rollback) or freeze it as it is (hold). Going back reuses old instances that still run.
//   - If going back fails too, the rollout ends as failed with both reasons, and what runs is left running.
// The deadline counts time during which control ran: neither its absence nor a reboot uses it up.
#pragma once

#include "control/desired_state.h"
#include "control/order.h"

namespace freehold::control {

// Ends of a new instance before it was ever healthy. One may be the work of somebody's kill; this many are its own.
constexpr uint32_t kEndsBeforeFailure = 3;

struct Now {
  WallTime wall{};
  MonotonicTime monotonic{};
};

enum class RolloutKind { kApply, kRollback, kRestart, kScale, kDrain, kDown, kReconcile };
inline std::span<const std::string_view> enum_names(RolloutKind) {
  static constexpr std::array<std::string_view, 7> kNames = {"apply", "rollback", "restart",  "scale",
                                                             "drain", "down",     "reconcile"};
  return kNames;
}
enum class Direction { kForward, kUndo };
inline std::span<const std::string_view> enum_names(Direction) {
  static constexpr std::array<std::string_view, 2> kNames = {"forward", "undo"};
  return kNames;
}
enum class Outcome { kRunning, kDone, kUndone, kFailed };
inline std::span<const std::string_view> enum_names(Outcome) {
  static constexpr std::array<std::string_view, 4> kNames = {"running", "done", "undone", "failed"};
  return kNames;
}
enum class Stage {
  kWaiting,  // for services that it needs, or that need it
  kRolling,
  kSettled,  // all that was wanted serves; old instances may still be draining
  kStuck,    // it will not come; `reason` of the rollout says why
};
inline std::span<const std::string_view> enum_names(Stage) {
  static constexpr std::array<std::string_view, 4> kNames = {"waiting", "rolling", "settled", "stuck"};
  return kNames;
}
enum class Prepare { kNone, kPending, kRunning, kDone };
inline std::span<const std::string_view> enum_names(Prepare) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "pending", "running", "done"};
  return kNames;
}

// One direction of a service's change.
struct Leg {
  std::optional<ServiceSpec> spec;  // what it shall be; nothing: it goes
  uint32_t wave = 1;
  std::vector<std::string> after;  // services of this rollout that are done before it starts
  bool early = false;              // it goes before the routes switch: another one needs its volume
  bool leaves() const { return !spec || spec->replicas == 0; }
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Leg>& leg) {
  v("spec", leg.spec);
  v("wave", leg.wave);
  v("after", leg.after);
  v("early", leg.early);
}

struct ServiceRollout {
  std::string service;
  Leg to;
  Leg from;
  Stage stage = Stage::kWaiting;
  Prepare prepare = Prepare::kNone;
  std::string preparer;                   // the instance that does it
  Duration rolling_since{};               // on the rollout's own clock, `counted`
  Duration took{};                        // in kRolling, once it is over
  std::map<std::string, Duration> fresh;  // instances that this direction placed -> `counted` then
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ServiceRollout>& service) {
  v("service", service.service);
  v("to", service.to);
  v("from", service.from);
  v("stage", service.stage);
  v("prepare", service.prepare);
  v("preparer", service.preparer);
  v("rolling_since", service.rolling_since);
  v("took", service.took);
  v("fresh", service.fresh);
}

struct Rollout {
  uint64_t id = 0;
  RolloutKind kind = RolloutKind::kApply;
  std::string who;
  std::string organisation;
  uint64_t target = 0;    // generation
  uint64_t previous = 0;  // generation; 0: there was none
  WallTime started{};
  WallTime finished{};
  Direction direction = Direction::kForward;
  Outcome outcome = Outcome::kRunning;
  std::string reason;                        // why it turned back or failed; empty if all went well
  std::string undo_reason;                   // why going back failed too
  bool asked_back = false;                   // turned back by request_undo, not by a failure
  std::string given_up_by;                   // who wanted everything to stop, and so ended it before its end
  bool announced = false;                    // the event of its end is written
  std::vector<ServiceRollout> services;      // those that change, in order
  std::optional<model::Routing> routing_to;  // both are set if routes or gateway change
  std::optional<model::Routing> routing_from;
  bool routed = true;            // the routing of this direction is in force
  uint64_t routed_revision = 0;  // since when
  Overrides overrides_from;      // in force before; again in force if this is undone
  Overrides overrides_to;
  MonotonicTime last_step{};
  Duration counted{};  // that it has been under way, while control ran
  Duration closing{};  // how long all has been settled but for old instances that drain

  std::set<std::string> touched;  // services that are not stored as they are now: whoever stores them empties it
};
// Without the services and the routing, which the ledger keeps by themselves.
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Rollout>& rollout) {
  v("id", rollout.id);
  v("kind", rollout.kind);
  v("who", rollout.who);
  v("organisation", rollout.organisation);
  v("target", rollout.target);
  v("previous", rollout.previous);
  v("started", rollout.started);
  v("finished", rollout.finished);
  v("direction", rollout.direction);
  v("outcome", rollout.outcome);
  v("reason", rollout.reason);
  v("undo_reason", rollout.undo_reason);
  v("asked_back", rollout.asked_back);
  v("given_up_by", rollout.given_up_by);
  v("announced", rollout.announced);
  v("routed", rollout.routed);
  v("routed_revision", rollout.routed_revision);
  v("overrides_from", rollout.overrides_from);
  v("overrides_to", rollout.overrides_to);
  v("last_step", rollout.last_step);
  v("counted", rollout.counted);
  v("closing", rollout.closing);
}

struct RolloutEvent {
  std::string kind;      // "instance.started", "service.done", "rollout.undoing": for the event log
  std::string service;   // empty: of the whole rollout
  std::string instance;  // empty: of the whole service
  std::string text;      // "web.4 is healthy after 1.2s and took over"
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, RolloutEvent>& event) {
  v("kind", event.kind);
  v("service", event.service);
  v("instance", event.instance);
  v("text", event.text);
}

struct StepResult {
  bool changed = false;                // the state has a new revision: send it
  std::vector<RolloutEvent> events;    // in the order in which they came about
  std::optional<Duration> wake_after;  // step again by then, even if nothing is observed
};

struct RolloutStart {
  RolloutKind kind = RolloutKind::kApply;
  uint64_t id = 0;
  std::string who;
  const Composed* target = nullptr;    // composed with overrides_to; for kDown with its `down` set
  const Composed* previous = nullptr;  // composed with overrides_from; null before the first generation
  Overrides overrides_from;
  Overrides overrides_to;
  Now now;
};

// What has to change, measured against `state` and not against the previous generation alone: what an earlier failure
// or a `down` left is seen to as well. A rollout with nothing to do ends at its first step.
Rollout begin_rollout(const RolloutStart& start, const DesiredState& state);

// Puts the services into the order in which this direction takes them.
void put_in_order(Rollout& rollout);

// Does nothing once the rollout has ended.
StepResult step(Rollout& rollout, DesiredState& state, const model::NodeObserved& observed, Now now);

// After a restart of control, before the first step: time that has passed since the last one is not counted.
void resume(Rollout& rollout, Now now);

// Takes it back without a failure (a person asked). Nothing happens if it ended or is going back already.
void request_undo(Rollout& rollout, std::string reason);

// Ends it where it is, as undone, because a rollout that stops everything comes next: that one is measured against the
// state, and so sees to whatever this one has begun.
void give_up(Rollout& rollout, const std::string& who, Now now);

// Ends it where it is, as failed: a person ended it, and decides what comes next.
void abandon(Rollout& rollout, std::string_view reason, Now now);

// What becomes of the target generation, with the text for its `outcome`. kApplying while it runs.
GenerationStatus generation_status(const Rollout& rollout);
std::string outcome_text(const Rollout& rollout);

}  // namespace freehold::control
