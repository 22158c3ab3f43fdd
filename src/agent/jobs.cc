#include "agent/jobs.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"

namespace freehold::agent {
namespace {

constexpr Bytes kLargestRecord{1 << 20};
// A clock that is set forward is noticed this soon.
constexpr Duration kRhythm = std::chrono::seconds(30);
constexpr Duration kTryAgain = std::chrono::seconds(1);  // after the disk took nothing
constexpr std::string_view kSuffix = ".json";

// "nightly.r12"
bool is_run(std::string_view id) {
  size_t dot = id.rfind('.');
  return dot != std::string_view::npos && id.substr(dot).starts_with(".r");
}

// "Sat 2026-11-21 02:00"
std::string show(model::LocalSeconds time) {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  auto minutes = (time - day) / std::chrono::minutes(1);
  return fmt::format("{} {:04}-{:02}-{:02} {:02}:{:02}", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), minutes / 60, minutes % 60);
}

}  // namespace

struct Jobs::Slot {
  Slot(Jobs& owner, JobRecord stored) : jobs(owner), record(std::move(stored)) {}
  void on_process(int) { jobs.on_ended(*this); }

  enum class Phase { kIdle, kWaiting, kRunning, kStopping };

  Jobs& jobs;
  JobRecord record;
  std::optional<model::DesiredJob> desired;
  std::optional<model::Schedule> schedule;
  Phase phase = Phase::kIdle;
  std::optional<RunningProcess> process;
  std::unique_ptr<runtime::Watcher> watcher;
  std::optional<model::Exit> found;      // how it ended while no agent was there
  std::optional<MonotonicTime> kill_at;  // of kStopping
  std::vector<JobNews> untold;           // until the record is stored
  std::vector<std::string> unforgotten;  // runs whose folder holds what the record does not yet
  std::string waits;
  std::string problem;
  std::optional<WallTime> next;
  std::string next_shown;
};

Jobs::Jobs(runtime::Loop& loop, os::Disk& disk, Workloads& workloads, Journal& journal, Options options, Hooks hooks)
    : loop_(loop),
      disk_(disk),
      workloads_(workloads),
      journal_(journal),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      timer_(loop, runtime::complete<&Jobs::look>(this)) {}

Jobs::~Jobs() = default;

Result<void> Jobs::open() {
  FH_ASSIGN(std::vector<os::FileInfo> files, disk_.list(options_.folder));
  for (const os::FileInfo& file : files) {
    if (!file.name.ends_with(kSuffix)) continue;
    auto text = disk_.read(os::join_path(options_.folder, file.name), kLargestRecord);
    if (!text) return text.error();
    auto json = codec::Json::parse(*text);
    auto record = json ? codec::from_json<JobRecord>(*json) : Result<JobRecord>(json.error());
    if (!record || record->name + std::string(kSuffix) != file.name) {
      log_error("agent", "{} is damaged: the job's due times count from now on", file.name);
      continue;
    }
    std::string name = record->name;
    slots_.emplace(name, std::make_unique<Slot>(*this, *std::move(record)));
  }
  return {};
}

bool Jobs::claim(Survivor& survivor) {
  if (!is_run(survivor.id)) return false;
  for (auto& [name, slot] : slots_) {
    if (!slot->record.active || slot->record.active->run.id != survivor.id) continue;
    if (survivor.running) {
      slot->phase = Slot::Phase::kRunning;
      slot->process = std::move(survivor.running);
      slot->watcher = std::make_unique<runtime::Watcher>(loop_, slot->process->ended.get(),
                                                         runtime::complete<&Slot::on_process>(slot.get()));
      journal_.add("job.adopted", name, fmt::format("{} taken over, pid {}", survivor.id, slot->process->pid));
    } else {
      slot->found = std::move(survivor.exit);
    }
    return true;
  }
  // Its result is on record: only its folder was left.
  if (survivor.running) workloads_.kill(survivor.id);
  workloads_.forget(survivor.id);
  return true;
}

void Jobs::apply(const model::NodeDesired& desired) {
  WallTime now = loop_.clock().wall();
  desired_ = {};
  desired_.timezone = desired.timezone;
  desired_.sealed_secrets = desired.sealed_secrets;
  desired_.routing.addresses = desired.routing.addresses;
  desired_.routing.keep = desired.routing.keep;
  for (const auto& [name, job] : desired.jobs) {
    auto runtime = desired.runtimes.find(job.fingerprint);
    if (runtime != desired.runtimes.end()) desired_.runtimes.insert(*runtime);
    auto& slot = slots_[name];
    if (!slot) {
      JobRecord fresh;
      fresh.name = name;
      slot = std::make_unique<Slot>(*this, std::move(fresh));
    }
    slot->desired = job;
    slot->problem.clear();
    auto schedule = model::Schedule::parse(job.terms.schedule);
    slot->schedule = schedule ? std::optional(*schedule) : std::nullopt;
    JobMachine machine(slot->record, slot->desired->terms);
    machine.want(fmt::format("{} {}", job.terms.schedule, desired.timezone), now);
    if (machine.changed()) store(*slot);
  }
  for (auto& [name, slot] : slots_) {
    if (desired.jobs.contains(name)) continue;
    slot->desired.reset();
    if (std::exchange(slot->record.wanted, false)) {
      slot->record.retry.reset();
      store(*slot);
    }
    stop(*slot);
  }
  forget_old();
  look(0);
}

void Jobs::stop_all() {
  for (auto& [name, slot] : slots_) {
    slot->desired.reset();
    stop(*slot);
  }
  look(0);
}

void Jobs::services_changed() {
  bool waits =
      std::ranges::any_of(slots_, [](const auto& entry) { return entry.second->phase == Slot::Phase::kWaiting; });
  if (waits) timer_.start(Duration::zero());
}

void Jobs::refresh_zone() {
  const std::string& name = desired_.timezone;
  if (name == "UTC") {
    zone_ = model::TimeZone::utc();
    return;
  }
  // Read each time: the rules of a zone change while we run.
  bool inside = name.find("..") == std::string::npos;
  auto bytes = inside ? disk_.read(os::join_path(options_.zones, name), model::TimeZone::kLargest)
                      : Result<std::string>(Error(ErrorCode::kInvalid, "it leads outside of the folder"));
  zone_ = bytes ? model::TimeZone::parse(*bytes) : Result<model::TimeZone>(bytes.error());
}

void Jobs::wake_by(std::optional<MonotonicTime> when) {
  if (when) wake_ = std::min(wake_, *when);
}
void Jobs::wake_by(WallTime when) {
  Duration wait = std::clamp<Duration>(when - loop_.clock().wall(), Duration::zero(), kRhythm);
  wake_by(std::optional(loop_.clock().monotonic() + wait));
}

void Jobs::look(int) {
  refresh_zone();
  MonotonicTime latest = loop_.clock().monotonic() + kRhythm;
  wake_ = latest;
  bool any = false;
  for (auto& [name, slot] : slots_) {
    look_at(*slot);
    any = any || slot->desired || slot->phase != Slot::Phase::kIdle || !slot->unforgotten.empty();
  }
  if (any) timer_.start_at(wake_);
  if (std::exchange(changed_, false)) hooks_.changed();
}

void Jobs::look_at(Slot& slot) {
  if (!slot.untold.empty() || !slot.unforgotten.empty()) {
    if (!store(slot)) return wake_by(std::optional(loop_.clock().monotonic() + kTryAgain));
  }
  if (slot.record.active && slot.phase == Slot::Phase::kIdle) {
    // Left by the agent before us.
    if (slot.found) {
      finish(slot, *std::exchange(slot.found, {}));
    } else if (slot.record.active->boot_id == options_.boot_id) {
      slot.phase = Slot::Phase::kWaiting;  // written down, and not begun
    } else {
      finish(slot, {.failure = "the machine was restarted meanwhile", .at = loop_.clock().wall()});
    }
  }
  if (!slot.desired) stop(slot);
  if (slot.phase == Slot::Phase::kStopping && slot.kill_at && loop_.clock().monotonic() >= *slot.kill_at) {
    workloads_.kill(slot.record.active->run.id);
    slot.kill_at.reset();
  }
  wake_by(slot.kill_at);
  if (!slot.desired) return;
  JobRecord before = slot.record;
  JobMachine machine(slot.record, slot.desired->terms);
  look_at_schedule(slot, machine);
  if (machine.changed()) {
    auto news = machine.take_news();
    size_t told = slot.untold.size();
    slot.untold.insert(slot.untold.end(), news.begin(), news.end());
    if (!store(slot)) {
      // What is not on disk is not done: a run that nobody knows of could be started twice.
      slot.record = std::move(before);
      slot.untold.resize(told);
      return wake_by(std::optional(loop_.clock().monotonic() + kTryAgain));
    }
    if (slot.record.active && slot.phase == Slot::Phase::kIdle) slot.phase = Slot::Phase::kWaiting;
  }
  if (slot.phase == Slot::Phase::kWaiting) start(slot);
  if (slot.record.retry) wake_by(slot.record.retry->not_before);
}

void Jobs::look_at_schedule(Slot& slot, JobMachine& machine) {
  WallTime now = loop_.clock().wall();
  std::optional<WallTime> before = std::exchange(slot.next, {});
  auto runtime = desired_.runtimes.find(slot.desired->fingerprint);
  if (runtime == desired_.runtimes.end() || !slot.schedule) {
    slot.problem = "what control wants of it cannot be understood here";
    return;
  }
  std::optional<model::JobRun> run;
  if (zone_) {
    slot.problem.clear();
    run = machine.look(*slot.schedule, *zone_, now);
    auto after = std::chrono::floor<std::chrono::seconds>(std::max(now, slot.record.handled));
    if (auto next = slot.schedule->next(*zone_, after)) {
      slot.next = *next;
      slot.next_shown = show(zone_->local(*next));
      wake_by(WallTime(*next));
    }
  } else {
    slot.problem = fmt::format("it is not started by itself: the time zone {} cannot be read: {}; is tzdata installed?",
                               desired_.timezone, zone_.error().message());
  }
  changed_ = changed_ || slot.next != before;
  if (!run) run = machine.look_at_retry(now);
  if (run) machine.begin(*std::move(run), runtime->second, slot.desired->stop, options_.boot_id);
}

std::string Jobs::missing_need(const Slot& slot) const {
  for (const std::string& service : slot.desired->needs) {
    if (!hooks_.healthy(service)) return service;
  }
  return {};
}

void Jobs::start(Slot& slot) {
  ActiveRun& active = *slot.record.active;
  auto runtime = desired_.runtimes.find(slot.desired->fingerprint);
  if (runtime == desired_.runtimes.end()) return;
  std::string need = missing_need(slot);
  std::string waits = need.empty() ? "" : fmt::format("waits for {}, which it needs", need);
  changed_ = changed_ || waits != slot.waits || need.empty();
  slot.waits = std::move(waits);
  if (!need.empty()) return;
  active.runtime = runtime->second;  // a deploy may have come since it was decided
  active.stop = slot.desired->stop;
  active.run.started = loop_.clock().wall();
  model::DesiredInstance instance{active.run.id, slot.record.name, active.runtime.fingerprint, model::Wanted::kRunning};
  auto process = workloads_.start({instance, active.runtime, desired_.sealed_secrets, desired_.routing.addresses,
                                   desired_.routing.keep.logs, /*port=*/0});
  if (!process) return finish(slot, {.failure = process.error().message(), .at = loop_.clock().wall()});
  slot.phase = Slot::Phase::kRunning;
  slot.process = *std::move(process);
  slot.watcher =
      std::make_unique<runtime::Watcher>(loop_, slot.process->ended.get(), runtime::complete<&Slot::on_process>(&slot));
  const model::JobRun& run = active.run;
  std::string why = run.cause == model::RunCause::kAsked ? fmt::format("asked for by {}", run.who)
                    : run.cause == model::RunCause::kRetry
                        ? fmt::format("attempt {} of what was due {}", run.attempt, format_time(run.due))
                        : fmt::format("due {}", format_time(run.due));
  journal_.add("job.started", slot.record.name, fmt::format("{}, pid {}, {}", run.id, slot.process->pid, why));
}

void Jobs::stop(Slot& slot) {
  if (slot.phase == Slot::Phase::kWaiting) {
    finish(slot, {.failure = "it had not begun", .at = loop_.clock().wall()});
  } else if (slot.phase == Slot::Phase::kRunning) {
    slot.phase = Slot::Phase::kStopping;
    slot.kill_at = loop_.clock().monotonic() + slot.record.active->stop.grace;
    workloads_.signal(slot.record.active->run.id, slot.record.active->stop.signal);
  }
}

void Jobs::on_ended(Slot& slot) {
  finish(slot, workloads_.collect(slot.record.active->run.id));
  look(0);
}

void Jobs::finish(Slot& slot, const model::Exit& exit) {
  bool stopped = slot.phase == Slot::Phase::kStopping || !slot.desired;
  slot.phase = Slot::Phase::kIdle;
  slot.kill_at.reset();
  slot.waits.clear();
  slot.watcher.reset();
  slot.process.reset();
  slot.unforgotten.push_back(slot.record.active->run.id);
  const model::Job terms = slot.desired ? slot.desired->terms : model::Job();
  JobMachine machine(slot.record, terms);
  WallTime now = loop_.clock().wall();
  std::vector<std::string> dropped = stopped ? machine.cancel(exit, now) : machine.end(exit, now);
  auto news = machine.take_news();
  slot.untold.insert(slot.untold.end(), news.begin(), news.end());
  std::string logs = os::join_path(options_.logs, slot.record.name);
  auto files = dropped.empty() ? Result<std::vector<os::FileInfo>>(std::vector<os::FileInfo>()) : disk_.list(logs);
  for (const std::string& id : dropped) {
    for (const os::FileInfo& file : files ? *files : std::vector<os::FileInfo>()) {
      if (file.name.starts_with(id + ".log")) (void)disk_.remove(os::join_path(logs, file.name)).ok();
    }
  }
  store(slot);
  hooks_.ended(slot.record.results.front());
}

// With everything that hangs on it. False: the disk did not take it.
bool Jobs::store(Slot& slot) {
  changed_ = true;
  auto written = disk_.write_durably(os::join_path(options_.folder, slot.record.name + std::string(kSuffix)),
                                     codec::to_json(slot.record).dump(), 0600);
  if (!written) {
    log_error("agent", "job {}: {}", slot.record.name, written.error().message());
    slot.problem = written.error().message();
    return false;
  }
  for (JobNews& news : std::exchange(slot.untold, {}))
    journal_.add(std::move(news.kind), slot.record.name, std::move(news.text));
  for (const std::string& id : std::exchange(slot.unforgotten, {})) workloads_.forget(id);
  return true;
}

void Jobs::forget_old() {
  std::vector<Slot*> unwanted;
  for (auto& [name, slot] : slots_) {
    if (!slot->desired && !slot->record.active && slot->unforgotten.empty()) unwanted.push_back(slot.get());
  }
  if (unwanted.size() <= kMostForgotten) return;
  std::ranges::sort(unwanted, std::ranges::greater(), [](const Slot* slot) { return slot->record.handled; });
  for (size_t i = kMostForgotten; i < unwanted.size(); ++i) {
    std::string name = unwanted[i]->record.name;
    (void)disk_.remove(os::join_path(options_.folder, name + std::string(kSuffix))).ok();
    slots_.erase(name);
  }
}

Result<std::string> Jobs::run(const std::string& job, const std::string& who) {
  auto found = slots_.find(job);
  if (found == slots_.end() || !found->second->desired)
    return Error(ErrorCode::kNotFound, fmt::format("there is no job '{}'; `freehold jobs` lists them", job));
  Slot& slot = *found->second;
  auto runtime = desired_.runtimes.find(slot.desired->fingerprint);
  if (runtime == desired_.runtimes.end()) return Error(ErrorCode::kInternal, slot.problem);
  JobRecord before = slot.record;
  JobMachine machine(slot.record, slot.desired->terms);
  FH_ASSIGN(model::JobRun run, machine.ask(who, loop_.clock().wall()));
  machine.begin(std::move(run), runtime->second, slot.desired->stop, options_.boot_id);
  if (!store(slot)) {
    slot.record = std::move(before);
    return Error(ErrorCode::kUnavailable, fmt::format("{} cannot be started: {}", job, slot.problem));
  }
  slot.phase = Slot::Phase::kWaiting;
  timer_.start(Duration::zero());  // begun at the next turn: whoever asked hears of it first
  return slot.record.active->run.id;
}

std::vector<model::ObservedJob> Jobs::observed() const {
  std::vector<model::ObservedJob> out;
  for (const auto& [name, slot] : slots_) {
    if (!slot->desired && !slot->record.active) continue;
    model::ObservedJob& job = out.emplace_back();
    job.name = name;
    job.next = slot->next;
    job.next_shown = slot->next_shown;
    if (slot->record.active) job.run = slot->record.active->run;
    job.waits = slot->waits;
    if (slot->record.retry) job.retry = slot->record.retry->not_before;
    job.results = slot->record.results;
    job.problem = slot->problem;
  }
  return out;
}

bool Jobs::empty() const {
  return std::ranges::none_of(slots_, [](const auto& entry) { return entry.second->record.active.has_value(); });
}

void Jobs::add_releases(std::set<std::string>& releases) const {
  for (const auto& [name, slot] : slots_) {
    if (slot->record.active) releases.insert(slot->record.active->runtime.release);
  }
}

std::optional<Jobs::Target> Jobs::find(const std::string& job_or_run) const {
  for (const auto& [name, slot] : slots_) {
    const auto& active = slot->record.active;
    if (!active || !slot->process || (job_or_run != name && job_or_run != active->run.id)) continue;
    model::DesiredInstance instance{active->run.id, name, active->runtime.fingerprint, model::Wanted::kRunning};
    return Target{std::move(instance), &active->runtime};
  }
  return std::nullopt;
}

}  // namespace freehold::agent
