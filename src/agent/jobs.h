// Jobs: starts what is due on this node, sees each run to its end, and keeps what came of it; with or without control.
//
// Decisions are JobMachine's; here are the disk, the processes and the time. Each job has a record in agent/jobs, which
// is stored before a run is started and when it ended. A run lives like an instance, in a folder and under a keeper of
// its own, so it goes on when the agent is killed: the next one adopts it, or finds how it ended, and records that
// once. A run that a restart of the machine cut off has failed. A run is never replaced by a deploy: the next one takes
// the new program. Runs on the agent's loop; not thread safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "agent/job_machine.h"
#include "agent/journal.h"
#include "agent/workloads.h"
#include "os/disk.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::agent {

class Jobs {
 public:
  // Of jobs that are not wanted any more; the oldest go.
  static constexpr size_t kMostForgotten = 100;
  struct Hooks {
    std::function<void()> changed;  // of observed()
    std::function<bool(const std::string& service)> healthy;
    std::function<void(const model::JobResult&)> ended;
  };
  struct Options {
    std::string folder;  // agent/jobs
    std::string logs;    // logs of a run: logs/<job>/<id>.log
    std::string boot_id;
    std::string zones = "/usr/share/zoneinfo";
  };
  Jobs(runtime::Loop& loop, os::Disk& disk, Workloads& workloads, Journal& journal, Options options, Hooks hooks);
  ~Jobs();

  // First thing: reads the records.
  Result<void> open();
  // Of the agent before us. False: it is no run of a job.
  bool claim(Survivor& survivor);
  // What is wanted now. Those that are wanted no more are stopped.
  void apply(const model::NodeDesired& desired);
  // A service may have become healthy.
  void services_changed();
  void stop_all();

  // Starts it now. The id of the run; kConflict while one is under way, kNotFound if there is no such job.
  Result<std::string> run(const std::string& job, const std::string& who);

  std::vector<model::ObservedJob> observed() const;
  bool empty() const;  // no run is under way
  void add_releases(std::set<std::string>& releases) const;
  // Of the run under way, by the job's name or its own; else nothing.
  struct Target {
    model::DesiredInstance instance;
    const model::Runtime* runtime;
  };
  std::optional<Target> find(const std::string& job_or_run) const;

 private:
  struct Slot;

  void look(int);
  void look_at(Slot& slot);
  void look_at_schedule(Slot& slot, JobMachine& machine);
  Result<void> begin(Slot& slot, JobMachine& machine, model::JobRun run);
  void start(Slot& slot);
  void stop(Slot& slot);
  void on_ended(Slot& slot);
  void finish(Slot& slot, const model::Exit& exit);
  bool store(Slot& slot);
  bool store_news(Slot& slot, JobMachine& machine);
  void forget_old();
  void refresh_zone();
  std::string missing_need(const Slot& slot) const;
  void wake_by(std::optional<MonotonicTime> when);
  void wake_by(WallTime when);

  runtime::Loop& loop_;
  os::Disk& disk_;
  Workloads& workloads_;
  Journal& journal_;
  Options options_;
  Hooks hooks_;
  std::map<std::string, std::unique_ptr<Slot>> slots_;
  model::NodeDesired desired_;  // without instances and routes
  Result<model::TimeZone> zone_ = model::TimeZone::utc();
  runtime::Timer timer_;
  MonotonicTime wake_{};
  bool changed_ = false;  // observed() is another than was told
};

}  // namespace freehold::agent
