// InstanceMachine: what to do next about one instance, decided without doing it.
//
// The supervisor tells it what happened (started, ended, probed, wanted) and asks next(): start it, signal it, kill it
// or forget it. All times are passed in; nothing here reads a clock, a file or a process, so tests and simulations can
// run it through years. Plain value semantics; not thread safe.
//
//   waiting -> starting -> healthy <-> unhealthy        (while it runs)
//      ^________________________________|  ended: waits its back-off, crash-looping when it ended too often
//   any of them -> draining -> stopping -> stopped      (once it is wanted no more)
#pragma once

#include <deque>
#include <optional>

#include "model/instance.h"

namespace freehold::agent {

class InstanceMachine {
 public:
  enum class Action { kNone, kStart, kSignal, kKill, kForget };

  // What next() must know of the world around.
  struct Surroundings {
    bool needs_ready = true;  // every service that it needs has a healthy instance
    bool drained = true;      // the gateway gives it nothing new and nothing is in flight
  };

  InstanceMachine(model::Wanted wanted, model::Supervision supervision, MonotonicTime now);

  // ---- what happened
  void want(model::Wanted wanted, MonotonicTime now);
  void supervise(model::Supervision supervision) { supervision_ = std::move(supervision); }
  void started(MonotonicTime now);
  // Taken over from an agent before this one. `was_healthy` spares it a second start phase, so that a new agent does
  // not take working instances out of the balance.
  void adopted(bool was_healthy, MonotonicTime now);
  // Ended, or never came to run. `counts` is false for ends that are not the program's fault (its port was taken).
  void ended(const model::Exit& exit, bool counts, MonotonicTime now);
  void probed(bool well, std::string reason, MonotonicTime now);

  // ---- what to do
  // kSignal and kKill are given once each; kStart again after every end. Ask after each of the calls above, and at
  // wake().
  Action next(const Surroundings& surroundings, MonotonicTime now);
  // When next() or a probe is due although nothing happens; nothing if only events matter.
  std::optional<MonotonicTime> wake(MonotonicTime now) const;
  bool probe_due(MonotonicTime now) const;
  // One at a time: the next is due some time after this one was answered.
  void probe_begun();

  // ---- what it is
  model::InstanceState state() const;
  bool running() const { return phase_ == Phase::kRunning || phase_ == Phase::kDraining || phase_ == Phase::kStopping; }
  bool healthy() const { return running() && health_ == HealthNow::kWell; }
  // May be given new requests.
  bool accepting() const {
    return phase_ == Phase::kRunning && health_ == HealthNow::kWell && wanted_ == model::Wanted::kRunning;
  }
  const std::string& reason() const { return reason_; }
  uint32_t restarts() const { return restarts_; }
  MonotonicTime since() const { return since_; }
  const std::optional<model::Exit>& last_exit() const { return last_exit_; }
  model::Wanted wanted() const { return wanted_; }
  const model::Supervision& supervision() const { return supervision_; }

  // Recent ends, so that a crash loop is remembered by the agent after this one.
  const std::deque<MonotonicTime>& ends() const { return ends_; }
  void remember(std::deque<MonotonicTime> ends, uint32_t restarts);

 private:
  enum class Phase { kWaiting, kLaunching, kRunning, kDraining, kStopping, kStopped };
  enum class HealthNow { kUnknown, kWell, kIll };

  void enter(Phase phase, std::string reason, MonotonicTime now);
  void set_health(HealthNow health, std::string reason, MonotonicTime now);
  void forget_old_ends(MonotonicTime now);
  Duration probe_interval() const;
  Duration back_off() const;

  model::Wanted wanted_;
  model::Supervision supervision_;
  Phase phase_ = Phase::kWaiting;
  HealthNow health_ = HealthNow::kUnknown;
  std::string reason_;
  MonotonicTime since_;
  MonotonicTime started_at_{};
  MonotonicTime start_not_before_{};
  MonotonicTime ill_since_{};
  MonotonicTime phase_deadline_{};  // draining: signal; stopping: kill
  MonotonicTime next_probe_{};
  uint32_t well_in_a_row_ = 0;
  uint32_t ill_in_a_row_ = 0;
  uint32_t probes_ = 0;
  bool probing_ = false;
  uint32_t restarts_ = 0;
  bool killed_ = false;
  bool crash_looping_ = false;
  std::deque<MonotonicTime> ends_;
  std::optional<model::Exit> last_exit_;
};

// "exit code 1", "killed by signal 9 (out of memory)", "could not start: ...": how it ended, for a person.
std::string describe(const model::Exit& exit);

}  // namespace freehold::agent
