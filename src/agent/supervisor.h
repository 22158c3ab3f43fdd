// Supervisor: makes what is wanted of this node so, and keeps it so, with or without control.
//
// It owns one slot per instance: an InstanceMachine that decides, and the process that it decides about. Whatever
// changes is told through Hooks, at most once per turn of the loop. It keeps a record of each instance on disk, so that
// the next agent of the same boot takes over where this one was killed; after a reboot everything is started anew, in
// the order of `needs`. Runs on the agent's loop; not thread safe.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "agent/instance_machine.h"
#include "agent/journal.h"
#include "agent/port_pool.h"
#include "agent/workloads.h"
#include "model/snapshot.h"
#include "os/disk.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::agent {

class Supervisor {
 public:
  struct Hooks {
    std::function<void()> observed_changed;
    std::function<void()> snapshot_changed;
    std::function<bool(Survivor&)> claim = {};  // true: it is no instance, and somebody else's
  };
  struct Options {
    std::string folder;      // for desired.json and the records
    std::string files_root;  // where static files of routes are served from
    std::string boot_id;
  };

  Supervisor(runtime::Loop& loop, os::Disk& disk, Workloads& workloads, Prober& prober, PortPool& ports,
             Journal& journal, Options options, Hooks hooks);
  ~Supervisor();

  // First thing: what was stored is wanted again, and what still runs is taken over.
  Result<void> resume();
  // Stores it durably, then acts. An older revision than the stored one is ignored.
  Result<void> apply(model::NodeDesired desired);

  // Everything is to stop now, until the next apply(); what is stored stays as it is.
  void stop_all();

  void gateway_acknowledged(const model::GatewayStatus& status);
  void gateway_lost();

  const model::NodeDesired& desired() const { return desired_; }
  std::vector<model::ObservedInstance> observed() const;
  const model::GatewaySnapshot& snapshot() const { return snapshot_; }
  // True once nothing runs and nothing is wanted.
  bool empty() const { return slots_.empty(); }
  // Whether an instance of the service is healthy, and there to stay.
  bool is_healthy(const std::string& service) const;
  // Digests that instances run from, wanted or not any more.
  std::set<std::string> releases_in_use() const;
  // The runtime, port and id of a healthy (else any running) instance of a service, or of that instance, for `exec`.
  struct Target {
    std::string id;
    const model::DesiredInstance* instance;
    const model::Runtime* runtime;
    uint16_t port;
  };
  Result<Target> find(const std::string& service_or_instance) const;

 private:
  struct Slot;

  void take_over(Survivor survivor);
  void reconcile();
  void turn(Slot& slot);
  void turn_all();
  void start(Slot& slot);
  void on_ended(Slot& slot);
  bool lost_port(Slot& slot);
  void begin_probe(Slot& slot);
  bool is_stranger(const Slot& slot);
  void note_accepting(Slot& slot);
  void note_endpoint(Slot& slot);
  void note_state(Slot& slot);
  void save_record(Slot& slot);
  bool needs_ready(const Slot& slot) const;
  bool drained(const Slot& slot) const;
  void refresh_snapshot();
  void changed();

  runtime::Loop& loop_;
  os::Disk& disk_;
  Workloads& workloads_;
  Prober& prober_;
  PortPool& ports_;
  Journal& journal_;
  Options options_;
  Hooks hooks_;
  model::NodeDesired desired_;
  std::map<std::string, std::unique_ptr<Slot>> slots_;
  model::GatewaySnapshot snapshot_;
  model::GatewayStatus gateway_;
  bool gateway_connected_ = false;
  bool turning_ = false;
  bool observed_dirty_ = false;
  bool snapshot_stale_ = false;
  bool resumed_ = false;
};

}  // namespace freehold::agent
