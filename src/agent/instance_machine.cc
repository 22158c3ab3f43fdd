#include "agent/instance_machine.h"

#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace freehold::agent {
namespace {

// Without a health check, an instance counts as healthy once it has lived this long.
constexpr Duration kSettle = std::chrono::milliseconds(500);
// While it starts, it is probed sooner than `every`, so that a deploy does not wait for a slow rhythm.
constexpr Duration kFirstProbe = std::chrono::milliseconds(50);
constexpr uint32_t kLongestBackOffShift = 20;

}  // namespace

InstanceMachine::InstanceMachine(model::Wanted wanted, model::Supervision supervision, MonotonicTime now)
    : wanted_(wanted), supervision_(std::move(supervision)), since_(now) {}

void InstanceMachine::enter(Phase phase, std::string reason, MonotonicTime now) {
  phase_ = phase;
  reason_ = std::move(reason);
  since_ = now;
}

void InstanceMachine::set_health(HealthNow health, std::string reason, MonotonicTime now) {
  if (health_ == health) return;
  health_ = health;
  reason_ = std::move(reason);
  since_ = now;
  if (health == HealthNow::kIll) ill_since_ = now;
}

void InstanceMachine::want(model::Wanted wanted, MonotonicTime now) {
  if (wanted_ == wanted) return;
  wanted_ = wanted;
  if (wanted != model::Wanted::kStopped) return;
  if (phase_ == Phase::kWaiting) enter(Phase::kStopped, "not wanted any more", now);
  if (phase_ == Phase::kRunning) {
    enter(Phase::kDraining, "not wanted any more", now);
    phase_deadline_ = now + supervision_.drain;
  }
  // Launching goes on until started() or ended() says how it came out; stopping already is what is wanted.
}

void InstanceMachine::started(MonotonicTime now) {
  health_ = HealthNow::kUnknown;
  well_in_a_row_ = ill_in_a_row_ = probes_ = 0;
  killed_ = probing_ = false;
  started_at_ = now;
  next_probe_ = now + (supervision_.health.kind == model::HealthKind::kNone ? kSettle : kFirstProbe);
  enter(Phase::kRunning, "", now);
  if (wanted_ == model::Wanted::kStopped) {
    enter(Phase::kDraining, "not wanted any more", now);
    phase_deadline_ = now;
  }
}

void InstanceMachine::adopted(bool was_healthy, MonotonicTime now) {
  started(now);
  if (was_healthy && phase_ == Phase::kRunning) {
    health_ = HealthNow::kWell;
    reason_ = "adopted";
  }
  if (wanted_ == model::Wanted::kStopped) phase_deadline_ = now + supervision_.drain;
}

void InstanceMachine::ended(const model::Exit& exit, bool counts, MonotonicTime now) {
  bool expected = phase_ == Phase::kStopping || phase_ == Phase::kDraining;
  last_exit_ = exit;
  health_ = HealthNow::kUnknown;
  if (wanted_ == model::Wanted::kStopped || wanted_ == model::Wanted::kOnce) {
    enter(Phase::kStopped, describe(exit), now);
    return;
  }
  ++restarts_;
  if (expected || !counts) {
    start_not_before_ = now;
  } else {
    ends_.push_back(now);
    forget_old_ends(now);
    start_not_before_ = now + back_off();
  }
  crash_looping_ = supervision_.restart.crash_loop.count > 0 && ends_.size() >= supervision_.restart.crash_loop.count;
  enter(Phase::kWaiting, describe(exit), now);
}

void InstanceMachine::probed(bool well, std::string reason, MonotonicTime now) {
  if (phase_ != Phase::kRunning) return;
  probing_ = false;
  const model::Health& health = supervision_.health;
  if (well) {
    ill_in_a_row_ = 0;
    if (++well_in_a_row_ >= health.healthy_after) {
      set_health(HealthNow::kWell, std::move(reason), now);
      crash_looping_ = false;
    }
  } else {
    well_in_a_row_ = 0;
    bool still_starting = health_ == HealthNow::kUnknown && now < started_at_ + health.start;
    if (still_starting) {
      reason_ = std::move(reason);
    } else if (++ill_in_a_row_ >= health.unhealthy_after) {
      set_health(HealthNow::kIll, std::move(reason), now);
    }
  }
  next_probe_ = now + probe_interval();
}

InstanceMachine::Action InstanceMachine::next(const Surroundings& surroundings, MonotonicTime now) {
  switch (phase_) {
    case Phase::kWaiting:
      if (now < start_not_before_) return Action::kNone;
      if (!surroundings.needs_ready) {
        if (reason_.empty()) reason_ = "waits for a service that it needs";
        return Action::kNone;
      }
      enter(Phase::kLaunching, "", now);
      return Action::kStart;
    case Phase::kLaunching:
      return Action::kNone;
    case Phase::kRunning:
      if (supervision_.health.kind == model::HealthKind::kNone && now >= next_probe_)
        set_health(HealthNow::kWell, "", now);
      // Out of the balance is not enough for a program that hangs: after as long again as it may take to start, a fresh
      // one.
      if (health_ == HealthNow::kIll && now >= ill_since_ + supervision_.health.start &&
          wanted_ != model::Wanted::kOnce) {
        enter(Phase::kStopping, "restarted because it stayed unhealthy: " + reason_, now);
        phase_deadline_ = now + supervision_.stop.grace;
        return Action::kSignal;
      }
      return Action::kNone;
    case Phase::kDraining:
      if (!surroundings.drained && now < phase_deadline_) return Action::kNone;
      enter(Phase::kStopping, reason_, now);
      phase_deadline_ = now + supervision_.stop.grace;
      return Action::kSignal;
    case Phase::kStopping:
      if (killed_ || now < phase_deadline_) return Action::kNone;
      killed_ = true;
      return Action::kKill;
    case Phase::kStopped:
      return wanted_ == model::Wanted::kStopped ? Action::kForget : Action::kNone;
  }
  return Action::kNone;
}

std::optional<MonotonicTime> InstanceMachine::wake(MonotonicTime now) const {
  switch (phase_) {
    case Phase::kWaiting:
      return start_not_before_ > now ? std::optional(start_not_before_) : std::nullopt;
    case Phase::kRunning: {
      bool settled = supervision_.health.kind == model::HealthKind::kNone && health_ == HealthNow::kWell;
      std::optional<MonotonicTime> when = settled || probing_ ? std::nullopt : std::optional(next_probe_);
      if (health_ == HealthNow::kIll) {
        MonotonicTime restart = ill_since_ + supervision_.health.start;
        when = when ? std::min(*when, restart) : restart;
      }
      return when;
    }
    case Phase::kDraining:
      return phase_deadline_;
    case Phase::kStopping:
      return killed_ ? std::nullopt : std::optional(phase_deadline_);
    default:
      return std::nullopt;
  }
}

bool InstanceMachine::probe_due(MonotonicTime now) const {
  return phase_ == Phase::kRunning && supervision_.health.kind != model::HealthKind::kNone && !probing_ &&
         now >= next_probe_;
}

void InstanceMachine::probe_begun() {
  ++probes_;
  probing_ = true;
}

Duration InstanceMachine::probe_interval() const {
  const model::Health& health = supervision_.health;
  if (health_ == HealthNow::kWell) return health.every;
  if (health_ == HealthNow::kIll) return std::min(health.every, Duration(std::chrono::seconds(1)));
  uint32_t shift = std::min<uint32_t>(probes_ / 4, kLongestBackOffShift);  // 4 at 50 ms, 4 at 100 ms, 4 at 200 ms ...
  return std::min<Duration>(health.every, kFirstProbe * (int64_t{1} << shift));
}

Duration InstanceMachine::back_off() const {
  if (ends_.empty()) return Duration::zero();
  auto shift = static_cast<uint32_t>(std::min<size_t>(ends_.size() - 1, kLongestBackOffShift));
  Duration wait = supervision_.restart.backoff;
  for (uint32_t i = 0; i < shift && wait < supervision_.restart.most; ++i) wait *= 2;
  return std::min(wait, supervision_.restart.most);
}

void InstanceMachine::forget_old_ends(MonotonicTime now) {
  constexpr size_t kMostEnds = 64;
  while (!ends_.empty() && (ends_.front() + supervision_.restart.crash_loop.per < now || ends_.size() > kMostEnds))
    ends_.pop_front();
}

void InstanceMachine::remember(std::deque<MonotonicTime> ends, uint32_t restarts) {
  ends_ = std::move(ends);
  restarts_ = restarts;
}

model::InstanceState InstanceMachine::state() const {
  using model::InstanceState;
  switch (phase_) {
    case Phase::kWaiting:
      return crash_looping_ ? InstanceState::kCrashLooping : InstanceState::kWaiting;
    case Phase::kLaunching:
      return InstanceState::kStarting;
    case Phase::kRunning:
      if (health_ == HealthNow::kWell) return InstanceState::kHealthy;
      if (health_ == HealthNow::kIll) return InstanceState::kUnhealthy;
      return crash_looping_ ? InstanceState::kCrashLooping : InstanceState::kStarting;
    case Phase::kDraining:
      return InstanceState::kDraining;
    case Phase::kStopping:
      return InstanceState::kStopping;
    case Phase::kStopped:
      return InstanceState::kStopped;
  }
  return InstanceState::kStopped;
}

std::string describe(const model::Exit& exit) {
  if (!exit.failure.empty()) return "could not start: " + exit.failure;
  if (exit.out_of_memory) return "killed because it went over its memory limit";
  if (exit.signal != 0) return fmt::format("ended by signal {} ({})", exit.signal, strsignal(exit.signal));
  return fmt::format("ended with exit code {}", exit.code);
}

}  // namespace freehold::agent
