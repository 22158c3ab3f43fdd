#include "agent/daemons.h"

#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "agent/instance_machine.h"
#include "base/log.h"

namespace freehold::agent {
namespace {

constexpr Duration kFirstWait = std::chrono::milliseconds(20);
constexpr Duration kLongestWait = std::chrono::seconds(5);
constexpr Duration kStable = std::chrono::seconds(10);  // lived this long: the next end is a fresh one
constexpr Duration kGrace = std::chrono::seconds(35);   // the gateway drains for up to 30 s

}  // namespace

struct Daemons::Daemon {
  Daemon(Daemons& owner, DaemonSpec wanted)
      : daemons(owner), spec(std::move(wanted)), timer(owner.loop_, runtime::complete<&Daemon::on_timer>(this)) {}
  void on_ended(int) { daemons.on_ended(*this); }
  void on_timer(int) {
    if (!running) return daemons.start(*this);
    // Asked to end, and did not.
    (void)daemons.launcher_.kill_all(daemons.folder_of(spec.name)).ok();
  }

  Daemons& daemons;
  DaemonSpec spec;
  std::optional<Running> running;
  std::unique_ptr<runtime::Watcher> watcher;
  runtime::Timer timer;  // to start it again; or to kill it
  Duration wait = kFirstWait;
  MonotonicTime started{};
  WallTime since{};
  uint32_t restarts = 0;
  bool was_adopted = false;
};

Daemons::Daemons(runtime::Loop& loop, Launcher& launcher, Journal& journal, std::string folder, std::string log_folder,
                 std::function<void()> changed)
    : loop_(loop),
      launcher_(launcher),
      journal_(journal),
      folder_(std::move(folder)),
      log_folder_(std::move(log_folder)),
      changed_(std::move(changed)) {}

Daemons::~Daemons() = default;

void Daemons::keep(DaemonSpec spec) {
  std::string name = spec.name;
  auto daemon = std::make_unique<Daemon>(*this, std::move(spec));
  Adopted adopted = launcher_.adopt(folder_of(name));
  if (adopted.state == AdoptedState::kRunning) {
    daemon->was_adopted = true;
    journal_.add("daemon.adopted", name, fmt::format("taken over, pid {}", adopted.running.child.pid));
    attach(*daemon, std::move(adopted.running));
  } else {
    start(*daemon);
  }
  daemons_[name] = std::move(daemon);
}

void Daemons::start(Daemon& daemon) {
  LaunchSpec spec;
  spec.instance = group_of(daemon.spec.name);
  spec.service = "platform";
  spec.command = daemon.spec.command;
  spec.env = daemon.spec.env;
  spec.directory = "/";
  spec.user = daemon.spec.user;
  spec.log_folder = log_folder_;
  spec.temporary = TemporaryFolders::kShared;
  spec.folder = folder_of(daemon.spec.name);
  auto running = launcher_.start(spec);
  if (!running) {
    log_error("agent", "{} could not be started: {}", daemon.spec.name, running.error().message());
    daemon.timer.start(daemon.wait);
    daemon.wait = std::min(daemon.wait * 2, kLongestWait);
    return;
  }
  journal_.add("daemon.started", daemon.spec.name, fmt::format("pid {}", running->child.pid));
  attach(daemon, *std::move(running));
}

void Daemons::attach(Daemon& daemon, Running running) {
  daemon.running = std::move(running);
  daemon.started = loop_.clock().monotonic();
  daemon.since = loop_.clock().wall();
  daemon.watcher = std::make_unique<runtime::Watcher>(loop_, daemon.running->keeper_fd.get(),
                                                      runtime::complete<&Daemon::on_ended>(&daemon));
  changed_();
}

void Daemons::on_ended(Daemon& daemon) {
  std::string folder = folder_of(daemon.spec.name);
  Launcher::reap(daemon.running->keeper_fd);
  daemon.watcher.reset();
  daemon.running.reset();
  daemon.timer.cancel();
  (void)launcher_.kill_all(folder).ok();
  auto exit = launcher_.read_exit(folder);
  journal_.add("daemon.ended", daemon.spec.name, exit ? describe(*exit) : "its keeper was killed");
  if (stopping_) {
    stop_next();
  } else {
    if (loop_.clock().monotonic() - daemon.started > kStable) daemon.wait = kFirstWait;
    ++daemon.restarts;
    daemon.timer.start(daemon.wait);
    daemon.wait = std::min(daemon.wait * 2, kLongestWait);
  }
  changed_();
}

void Daemons::stop(std::vector<std::string> names, std::function<void()> stopped) {
  if (stopping_) return;
  stopping_ = true;
  std::ranges::reverse(names);  // taken from the back
  to_stop_ = std::move(names);
  stopped_ = std::move(stopped);
  stop_next();
}

void Daemons::stop_next() {
  while (!to_stop_.empty()) {
    auto found = daemons_.find(to_stop_.back());
    if (found == daemons_.end() || !found->second->running) {
      if (found != daemons_.end()) {
        found->second->timer.cancel();
        (void)launcher_.cleanup(folder_of(found->first)).ok();
      }
      to_stop_.pop_back();
      continue;
    }
    (void)Launcher::signal(*found->second->running, SIGTERM).ok();
    found->second->timer.start(kGrace);
    return;
  }
  stopped_();
}

bool Daemons::adopted(const std::string& name) const {
  auto found = daemons_.find(name);
  return found != daemons_.end() && found->second->was_adopted;
}

std::vector<model::DaemonStatus> Daemons::status() const {
  std::vector<model::DaemonStatus> out;
  for (const auto& [name, daemon] : daemons_) {
    out.push_back({name, daemon->running ? daemon->running->child.pid : 0, daemon->restarts, daemon->since});
  }
  return out;
}

}  // namespace freehold::agent
