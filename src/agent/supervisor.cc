#include "agent/supervisor.h"

#include <fmt/core.h>

#include <algorithm>

#include "agent/record.h"
#include "base/log.h"

namespace freehold::agent {
namespace {

constexpr Bytes kLargestDesired{256 << 20};
// Each one after so many in a row counts as a crash: who takes port after port must not keep us busy.
constexpr uint32_t kMostPortsLost = 10;

}  // namespace

struct Supervisor::Slot {
  Slot(Supervisor& owner, model::DesiredInstance wanted, InstanceMachine decisions)
      : supervisor(owner),
        desired(std::move(wanted)),
        machine(std::move(decisions)),
        timer(owner.loop_, runtime::complete<&Slot::on_timer>(this)) {}

  void on_timer(int) {
    supervisor.turn(*this);
    supervisor.changed();
  }
  void on_process(int) {
    supervisor.on_ended(*this);
    supervisor.changed();
  }

  Supervisor& supervisor;
  model::DesiredInstance desired;
  InstanceMachine machine;
  model::Runtime runtime;  // what it was started with, kept when the desired state moves on
  uint16_t port = 0;
  uint32_t ports_lost = 0;  // in a row
  std::optional<RunningProcess> process;
  std::unique_ptr<runtime::Watcher> watcher;
  runtime::Timer timer;
  bool forgotten = false;
  // As last told to control, to the journal and to the disk.
  model::InstanceState told = model::InstanceState::kWaiting;
  std::string reason_told;
  bool accepting_told = false;
  uint64_t accepting_since = 0;             // the snapshot revision in which `accepting` last changed
  std::optional<model::Endpoint> endpoint;  // as it stands in the snapshot
  WallTime since{};
};

Supervisor::Supervisor(runtime::Loop& loop, os::Disk& disk, Workloads& workloads, Prober& prober, PortPool& ports,
                       Journal& journal, Options options, Hooks hooks)
    : loop_(loop),
      disk_(disk),
      workloads_(workloads),
      prober_(prober),
      ports_(ports),
      journal_(journal),
      options_(std::move(options)),
      hooks_(std::move(hooks)) {
  snapshot_.files_root = options_.files_root;
  snapshot_.revision = 1;
}

Supervisor::~Supervisor() = default;

Result<void> Supervisor::resume() {
  auto text = disk_.read(options_.folder + "/desired.json", kLargestDesired);
  if (!text && text.error().code() != ErrorCode::kNotFound) return text.error();
  if (text) {
    FH_ASSIGN(codec::Json json, codec::Json::parse(*text, {.bytes = kLargestDesired.count, .depth = 64}));
    FH_ASSIGN(desired_, codec::from_json<model::NodeDesired>(json));
  }
  for (Survivor& survivor : workloads_.survivors()) {
    if (!hooks_.claim || !hooks_.claim(survivor)) take_over(std::move(survivor));
  }
  resumed_ = true;
  snapshot_stale_ = true;
  reconcile();
  return {};
}

void Supervisor::take_over(Survivor survivor) {
  auto record = read_record(disk_, record_path(options_.folder, survivor.id));
  bool same_boot = record.ok() && record->boot_id == options_.boot_id;
  if (!record.ok() || (!same_boot && !survivor.running)) {
    // Of another boot, or without a record: nothing of it is left but a folder.
    if (survivor.running) workloads_.kill(survivor.id);
    workloads_.forget(survivor.id);
    return;
  }
  MonotonicTime now = loop_.clock().monotonic();
  const model::Supervision* supervision = model::supervision_of(desired_, record->instance);
  InstanceMachine machine(record->instance.wanted, supervision == nullptr ? record->supervision : *supervision, now);
  machine.remember({record->ends.begin(), record->ends.end()}, record->restarts);
  auto slot = std::make_unique<Slot>(*this, record->instance, std::move(machine));
  slot->runtime = std::move(record->runtime);
  slot->port = record->port;
  slot->since = loop_.clock().wall();
  if (slot->port != 0) ports_.mark_taken(slot->port);
  if (survivor.running) {
    slot->machine.adopted(record->healthy, now);
    slot->process = std::move(survivor.running);
    slot->watcher = std::make_unique<runtime::Watcher>(loop_, slot->process->ended.get(),
                                                       runtime::complete<&Slot::on_process>(slot.get()));
    journal_.add("instance.adopted", survivor.id, fmt::format("taken over, pid {}", slot->process->pid));
  } else if (survivor.exit) {
    slot->machine.started(now);
    slot->machine.ended(*survivor.exit, true, now);
    journal_.add("instance.ended", survivor.id, describe(*survivor.exit) + ", while no agent was there");
  }
  slots_.emplace(survivor.id, std::move(slot));
}

Result<void> Supervisor::apply(model::NodeDesired desired) {
  if (desired.revision < desired_.revision) return {};
  FH_TRY(disk_.write_durably(options_.folder + "/desired.json", codec::to_json(desired).dump(), 0600));
  if (desired.routing != desired_.routing) snapshot_stale_ = true;
  desired_ = std::move(desired);
  observed_dirty_ = true;
  if (resumed_) reconcile();
  return {};
}

void Supervisor::stop_all() {
  desired_.instances.clear();
  reconcile();
}

void Supervisor::reconcile() {
  MonotonicTime now = loop_.clock().monotonic();
  std::map<std::string, const model::DesiredInstance*> wanted;
  for (const model::DesiredInstance& instance : desired_.instances) wanted[instance.id] = &instance;

  for (auto& [id, slot] : slots_) {
    auto found = wanted.find(id);
    slot->desired.wanted = found == wanted.end() ? model::Wanted::kStopped : found->second->wanted;
    slot->machine.want(slot->desired.wanted, now);
    const model::Supervision* supervision = model::supervision_of(desired_, slot->desired);
    if (supervision != nullptr) slot->machine.supervise(*supervision);
  }
  for (const auto& [id, instance] : wanted) {
    if (slots_.contains(id) || instance->wanted == model::Wanted::kStopped) continue;
    auto runtime = desired_.runtimes.find(instance->fingerprint);
    if (runtime == desired_.runtimes.end()) {
      log_error("agent", "{} is wanted with the unknown runtime {}", id, instance->fingerprint);
      continue;
    }
    const model::Supervision* supervision = model::supervision_of(desired_, *instance);
    auto slot = std::make_unique<Slot>(
        *this, *instance,
        InstanceMachine(instance->wanted, supervision == nullptr ? model::Supervision() : *supervision, now));
    slot->runtime = runtime->second;
    slot->since = loop_.clock().wall();
    slots_.emplace(id, std::move(slot));
    observed_dirty_ = true;
  }
  turn_all();
  changed();
}

void Supervisor::turn_all() {
  // Several rounds: what becomes healthy may be what another one waits for.
  for (auto& [id, slot] : slots_) turn(*slot);
}

void Supervisor::turn(Slot& slot) {
  using Action = InstanceMachine::Action;
  const std::string& id = slot.desired.id;
  for (bool more = true; more && !slot.forgotten;) {
    MonotonicTime now = loop_.clock().monotonic();
    note_accepting(slot);
    Action action = slot.machine.next({.needs_ready = needs_ready(slot), .drained = drained(slot)}, now);
    more = action != Action::kNone;
    switch (action) {
      case Action::kNone:
        break;
      case Action::kStart:
        start(slot);
        break;
      case Action::kSignal:
        prober_.cancel(id);
        workloads_.signal(id, slot.machine.supervision().stop.signal);
        break;
      case Action::kKill:
        journal_.add("instance.killed", id, "did not stop within its grace period");
        workloads_.kill(id);
        break;
      case Action::kForget:
        workloads_.forget(id);
        if (slot.port != 0) ports_.give_back(slot.port);
        slot.forgotten = true;
        observed_dirty_ = true;
        break;
    }
    if (slot.machine.probe_due(now)) begin_probe(slot);
  }
  note_state(slot);
  if (slot.forgotten) return;
  auto wake = slot.machine.wake(loop_.clock().monotonic());
  if (wake) {
    slot.timer.start_at(*wake);
  } else {
    slot.timer.cancel();
  }
}

void Supervisor::start(Slot& slot) {
  MonotonicTime now = loop_.clock().monotonic();
  observed_dirty_ = true;                     // pid and port, although the state may be what it was
  if (slot.port != 0) (void)lost_port(slot);  // taken while it was down
  if (slot.port == 0) {
    auto port = ports_.take();
    if (!port) {
      slot.machine.ended({.failure = port.error().message(), .at = loop_.clock().wall()}, true, now);
      return;
    }
    slot.port = *port;
  }
  save_record(slot);  // before the process: a killed agent must never leave one that the next cannot name
  auto process = workloads_.start({slot.desired, slot.runtime, desired_.sealed_secrets, desired_.routing.addresses,
                                   desired_.routing.keep.logs, slot.port});
  if (!process) {
    journal_.add("instance.failed", slot.desired.id, process.error().message());
    bool counts = !lost_port(slot);
    slot.machine.ended({.failure = process.error().message(), .at = loop_.clock().wall()}, counts, now);
    return;
  }
  slot.process = *std::move(process);
  slot.watcher =
      std::make_unique<runtime::Watcher>(loop_, slot.process->ended.get(), runtime::complete<&Slot::on_process>(&slot));
  slot.machine.started(loop_.clock().monotonic());
  journal_.add("instance.started", slot.desired.id, fmt::format("pid {}, port {}", slot.process->pid, slot.port));
}

void Supervisor::on_ended(Slot& slot) {
  prober_.cancel(slot.desired.id);
  slot.watcher.reset();
  slot.process.reset();
  model::Exit exit = workloads_.collect(slot.desired.id);
  bool was_stopping = slot.machine.wanted() == model::Wanted::kStopped;
  // Its port is somebody else's: that was the reason, and no fault of its own. Also if it was found well, for whoever
  // has the port may have answered.
  uint16_t port = slot.port;
  bool port_lost = !was_stopping && lost_port(slot);
  journal_.add(
      "instance.ended", slot.desired.id,
      describe(exit) + (port_lost ? fmt::format("; port {} was taken by another program, trying another", port) : ""));
  slot.machine.ended(exit, !port_lost, loop_.clock().monotonic());
  turn(slot);
}

// Gives up a port that another program holds. True if the end that showed it is no fault of the instance.
bool Supervisor::lost_port(Slot& slot) {
  if (ports_.still_free(slot.port)) {
    slot.ports_lost = 0;
    return false;
  }
  ports_.give_back(slot.port);
  slot.port = 0;
  return ++slot.ports_lost % kMostPortsLost != 0;
}

// Whether the good answer that came from its port came from somebody else. Asked until it is healthy for the first
// time: then the port is its own.
bool Supervisor::is_stranger(const Slot& slot) {
  if (slot.machine.healthy()) return false;
  model::HealthKind kind = slot.machine.supervision().health.kind;
  bool asks_port = kind == model::HealthKind::kHttp || kind == model::HealthKind::kTcp;
  return asks_port && !workloads_.holds_port(slot.desired.id, slot.runtime, slot.port);
}

void Supervisor::begin_probe(Slot& slot) {
  slot.machine.probe_begun();
  const std::string& id = slot.desired.id;
  prober_.probe({id, slot.machine.supervision().health, slot.port}, [this, id](bool well, std::string reason) {
    auto found = slots_.find(id);
    if (found == slots_.end()) return;
    if (well && is_stranger(*found->second)) {
      // It will never get that port. Its end is seen as a port that was lost, and it is started on another.
      workloads_.kill(id);
      well = false;
      reason = fmt::format("port {} is another program's", found->second->port);
    }
    found->second->machine.probed(well, std::move(reason), loop_.clock().monotonic());
    turn(*found->second);
    changed();
  });
}

void Supervisor::note_accepting(Slot& slot) {
  // Before anything is decided: whether it is drained depends on the gateway having seen the snapshot that says so.
  bool accepting = slot.machine.accepting();
  if (accepting == slot.accepting_told) return;
  slot.accepting_told = accepting;
  slot.accepting_since = snapshot_.revision + 1;
}

void Supervisor::note_state(Slot& slot) {
  using model::InstanceState;
  InstanceState state = slot.machine.state();
  note_accepting(slot);
  note_endpoint(slot);
  const std::string& reason = slot.machine.reason();
  if (reason != slot.reason_told) {
    slot.reason_told = reason;
    observed_dirty_ = true;  // why it is not healthy yet may change while it starts
  }
  if (state == slot.told && !slot.forgotten) return;
  slot.told = state;
  slot.since = loop_.clock().wall();
  observed_dirty_ = true;
  if (state == InstanceState::kHealthy)
    journal_.add("instance.healthy", slot.desired.id, reason.empty() ? "healthy" : reason);
  if (state == InstanceState::kUnhealthy) journal_.add("instance.unhealthy", slot.desired.id, reason);
  if (state == InstanceState::kCrashLooping) {
    journal_.add("instance.crash-looping", slot.desired.id,
                 fmt::format("ended {} times lately; {}", slot.machine.ends().size(), reason));
  }
  if (state == InstanceState::kStopped) journal_.add("instance.stopped", slot.desired.id, reason);
  if (!slot.forgotten && state != InstanceState::kWaiting) save_record(slot);
}

void Supervisor::save_record(Slot& slot) {
  Record record;
  record.boot_id = options_.boot_id;
  record.instance = slot.desired;
  record.runtime = slot.runtime;
  record.supervision = slot.machine.supervision();
  record.port = slot.port;
  record.healthy = slot.machine.healthy();
  record.restarts = slot.machine.restarts();
  record.ends.assign(slot.machine.ends().begin(), slot.machine.ends().end());
  auto written = write_record(disk_, record_path(options_.folder, slot.desired.id), record);
  if (!written) log_error("agent", "{}", written.error().message());
}

bool Supervisor::is_healthy(const std::string& service) const {
  return std::ranges::any_of(slots_, [&](const auto& entry) {
    return entry.second->desired.service == service && entry.second->machine.healthy() &&
           entry.second->machine.wanted() != model::Wanted::kStopped;
  });
}

bool Supervisor::needs_ready(const Slot& slot) const {
  return std::ranges::all_of(slot.machine.supervision().needs,
                             [&](const std::string& service) { return is_healthy(service); });
}

bool Supervisor::drained(const Slot& slot) const {
  if (slot.accepting_since == 0) return true;  // the gateway was never told of it
  if (!gateway_connected_ || gateway_.revision < slot.accepting_since) return false;
  auto in_flight = gateway_.in_flight.find(slot.desired.id);
  return in_flight == gateway_.in_flight.end() || in_flight->second == 0;
}

void Supervisor::gateway_acknowledged(const model::GatewayStatus& status) {
  gateway_connected_ = true;
  bool moved = status.revision != gateway_.revision;
  gateway_ = status;
  if (moved) observed_dirty_ = true;  // `serving` follows the acknowledgement
  for (auto& [id, slot] : slots_) {
    if (slot->machine.state() == model::InstanceState::kDraining) turn(*slot);
  }
  changed();
}

void Supervisor::gateway_lost() { gateway_connected_ = false; }

// How the gateway is to know it, if at all.
void Supervisor::note_endpoint(Slot& slot) {
  bool draining = slot.machine.state() == model::InstanceState::kDraining;
  bool reachable =
      slot.machine.accepting() || draining || (slot.machine.running() && slot.machine.wanted() == model::Wanted::kIdle);
  // Unhealthy ones stay in the list without getting anything new, so that what they still answer is not cut.
  bool unwell = slot.machine.state() == model::InstanceState::kUnhealthy;
  bool shown =
      !slot.forgotten && slot.port != 0 && slot.machine.wanted() != model::Wanted::kOnce && (reachable || unwell);
  std::optional<model::Endpoint> endpoint;
  if (shown) endpoint = {slot.desired.id, slot.port, slot.machine.accepting()};
  if (endpoint == slot.endpoint) return;
  slot.endpoint = std::move(endpoint);
  snapshot_stale_ = true;
}

// Made anew only when something in it is not so any more: most of what happens is a probe that says what it said
// before.
void Supervisor::refresh_snapshot() {
  if (!snapshot_stale_) return;
  snapshot_stale_ = false;
  snapshot_.files_root = options_.files_root;
  snapshot_.routing = desired_.routing;
  snapshot_.endpoints.clear();
  for (const auto& [id, slot] : slots_) {
    if (slot->endpoint) snapshot_.endpoints[slot->desired.service].push_back(*slot->endpoint);
  }
  ++snapshot_.revision;
  if (hooks_.snapshot_changed) hooks_.snapshot_changed();
}

void Supervisor::changed() {
  std::erase_if(slots_, [](const auto& entry) { return entry.second->forgotten; });
  refresh_snapshot();
  // What waits for another service may go now.
  if (observed_dirty_ && !turning_) {
    turning_ = true;
    for (auto& [id, slot] : slots_) {
      if (slot->machine.state() == model::InstanceState::kWaiting ||
          slot->machine.state() == model::InstanceState::kCrashLooping)
        turn(*slot);
    }
    turning_ = false;
    refresh_snapshot();
  }
  if (!observed_dirty_) return;
  observed_dirty_ = false;
  if (hooks_.observed_changed) hooks_.observed_changed();
}

std::vector<model::ObservedInstance> Supervisor::observed() const {
  std::vector<model::ObservedInstance> out;
  out.reserve(slots_.size());
  for (const auto& [id, slot] : slots_) {
    model::ObservedInstance seen;
    seen.id = id;
    seen.service = slot->desired.service;
    seen.fingerprint = slot->desired.fingerprint;
    seen.state = slot->machine.state();
    seen.serving = slot->machine.accepting() && gateway_connected_ && gateway_.revision >= slot->accepting_since;
    seen.pid = slot->process ? slot->process->pid : 0;
    seen.port = slot->port;
    seen.restarts = slot->machine.restarts();
    seen.since = slot->since;
    seen.reason = slot->machine.reason();
    seen.last_exit = slot->machine.last_exit();
    out.push_back(std::move(seen));
  }
  return out;
}

std::set<std::string> Supervisor::releases_in_use() const {
  std::set<std::string> out;
  for (const auto& [id, slot] : slots_) out.insert(slot->runtime.release);
  for (const auto& [fingerprint, runtime] : desired_.runtimes) out.insert(runtime.release);
  for (const model::Route& route : desired_.routing.routes) {
    for (const model::PathRule& rule : route.paths) out.insert(rule.files);
  }
  return out;
}

Result<Supervisor::Target> Supervisor::find(const std::string& service_or_instance) const {
  const Slot* best = nullptr;
  for (const auto& [id, slot] : slots_) {
    if (id != service_or_instance && slot->desired.service != service_or_instance) continue;
    if (!slot->machine.running()) continue;
    if (best == nullptr || (slot->machine.healthy() && !best->machine.healthy())) best = slot.get();
  }
  if (best == nullptr)
    return Error(ErrorCode::kUnavailable, fmt::format("no instance of '{}' is running", service_or_instance));
  return Target{best->desired.id, &best->desired, &best->runtime, best->port};
}

}  // namespace freehold::agent
