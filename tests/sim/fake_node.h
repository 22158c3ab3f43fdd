// FakeNode: what control sees of an agent and its gateway, with the time that everything takes and the ways in which it
// goes wrong, but without processes, sockets or waiting.
//
// Fault model. Instances of a version behave as its environment says (BEHAVIOUR): good; crash (ends at every start);
// sick (runs, its health check never answers); hang (never gets anywhere); flap (healthy for seconds, then ends, again
// and again). PREPARE=fail makes its prepare command fail. On top of that, from outside: kill() ends an instance as
// kill -9 would, leave() makes the agent deaf and mute for a while (what runs runs on), reboot() ends every process and
// changes the boot id. The gateway acknowledges after a delay that set_gateway_delay() chooses.
//
// What the node does is the truth that the rules (rules.h) are checked against; control only ever sees observe().
#pragma once

#include <map>
#include <set>

#include "model/instance.h"
#include "os/clock.h"
#include "os/random.h"

namespace freehold::sim {

enum class Phase { kWaiting, kStarting, kHealthy, kUnhealthy, kDraining, kStopping, kEnded };

struct Process {
  model::DesiredInstance asked;
  model::Runtime runtime;
  Phase phase = Phase::kWaiting;
  MonotonicTime due{};  // of its next change by itself; max() if there is none
  bool acknowledged = false;
  MonotonicTime acknowledge_due{};
  uint32_t ends = 0;
  bool crash_looping = false;
  std::optional<model::Exit> last_exit;

  bool alive() const { return phase != Phase::kWaiting && phase != Phase::kEnded; }
  bool serves() const { return phase == Phase::kHealthy && acknowledged; }
};

class FakeNode {
 public:
  FakeNode(const os::Clock& clock, os::Random& random, bool waits_for_needs);

  // Takes in what control asks for, as the agent does: whole, and only if it is newer. Returns the instances that run
  // and are not mentioned: orphans, which control must never make.
  std::vector<std::string> obey(const model::NodeDesired& desired);
  model::NodeObserved observe() const;
  // Lets everything happen that is due. True if an observer would see a difference.
  bool advance();
  // When advance() has something to do next.
  MonotonicTime next() const;

  void kill(const std::string& id);
  void leave(Duration how_long);
  void reboot(Duration how_long);
  void set_gateway_delay(Duration most) { gateway_delay_ = most; }
  bool present() const { return clock_.monotonic() >= away_until_; }

  const std::map<std::string, Process>& processes() const { return processes_; }
  const model::NodeDesired& stored() const { return stored_; }
  // Instances that were healthy and serving once, or ended a prepare command well.
  const std::set<std::string>& proven() const { return proven_; }

 private:
  Duration between(Duration least, Duration most);
  void want(Process& process, model::Wanted wanted);
  void go_on(Process& process);
  void come_up(Process& process);
  void end(Process& process, model::Exit exit);
  bool needs_ready(const Process& process) const;
  const model::Supervision& supervision(const Process& process) const;

  const os::Clock& clock_;
  os::Random& random_;
  bool waits_for_needs_;
  model::NodeDesired stored_;
  std::map<std::string, Process> processes_;
  std::set<std::string> proven_;
  MonotonicTime away_until_{};
  Duration gateway_delay_ = std::chrono::milliseconds(50);
  uint64_t boots_ = 1;
};

}  // namespace freehold::sim
