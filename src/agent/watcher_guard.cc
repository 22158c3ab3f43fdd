#include "agent/watcher_guard.h"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "model/layout.h"
#include "os/clock.h"
#include "os/spawn.h"

namespace freehold::agent {
namespace {

constexpr Duration kFirstWait = std::chrono::milliseconds(20);
constexpr Duration kLongestWait = std::chrono::seconds(5);
constexpr int kDismissalMs = 1000;
constexpr Duration kStable = std::chrono::seconds(10);

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
  return out;
}

void pause_for(Duration wait) {
  timespec span{static_cast<time_t>(wait / std::chrono::seconds(1)),
                static_cast<long>((wait % std::chrono::seconds(1)).count())};
  nanosleep(&span, nullptr);
}

// Waits for a process that may or may not be our child; its exit status if it was.
std::optional<int> wait_for_end(pid_t pid) {
  auto id = os::identify(pid);
  if (id) {
    auto pidfd = os::open_process(*id);
    if (pidfd) {
      pollfd ended{pidfd->get(), POLLIN, 0};
      while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
      }
    }
  }
  int status = 0;
  if (waitpid(pid, &status, 0) == pid) return status;
  return std::nullopt;
}

}  // namespace

WatcherGuard::WatcherGuard(runtime::Loop& loop, const AgentOptions& options, std::function<void()> changed)
    : loop_(loop),
      options_(options),
      changed_(std::move(changed)),
      timer_(loop, runtime::complete<&WatcherGuard::on_timer>(this)) {
  if (options.watcher != 0) watch(options.watcher);
}

void WatcherGuard::watch(pid_t pid) {
  auto id = os::identify(pid);
  auto pidfd = id ? os::open_process(*id) : Result<os::Fd>(id.error());
  if (!pidfd) {
    timer_.start(kFirstWait);
    return;
  }
  process_ = *id;
  pidfd_ = *std::move(pidfd);
  watcher_ = std::make_unique<runtime::Watcher>(loop_, pidfd_.get(), runtime::complete<&WatcherGuard::on_ended>(this));
}

void WatcherGuard::on_ended(int) {
  watcher_.reset();
  pidfd_.reset();
  if (child_ && process_) waitpid(process_->pid, nullptr, WNOHANG);
  process_.reset();
  timer_.start(kFirstWait);
}

void WatcherGuard::on_timer(int) {
  os::SpawnOptions spawn;
  spawn.words = {options_.program, "daemon", "watcher", options_.state, std::to_string(getpid())};
  spawn.environment = own_environment();
  spawn.standard_output = options_.log;
  spawn.new_session = true;
  auto pid = os::spawn(spawn);
  if (!pid) {
    log_error("agent", "the watcher could not be started: {}", pid.error().message());
    timer_.start(kLongestWait);
    return;
  }
  child_ = true;
  watch(*pid);
  changed_();
}

void WatcherGuard::dismiss() {
  watcher_.reset();
  timer_.cancel();
  if (!process_) return;
  (void)os::signal_process(pidfd_, SIGTERM).ok();
  // Whoever waits for our lock to be free shall find nothing left.
  pollfd end{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  poll(&end, 1, kDismissalMs);
  if (child_) waitpid(process_->pid, nullptr, WNOHANG);
}

int run_watcher(const std::string& program, const std::string& state, pid_t agent) {
  std::string log = model::Layout{state}.platform_logs() + "/agent.log";
  Duration wait = kFirstWait;
  for (;;) {
    MonotonicTime started = os::system_clock().monotonic();
    if (agent == 0) {
      os::SpawnOptions spawn;
      spawn.words = {program, "daemon", "agent", state, std::to_string(getpid())};
      spawn.environment = own_environment();
      spawn.standard_output = log;
      spawn.new_session = true;
      auto pid = os::spawn(spawn);
      if (pid) agent = *pid;
      if (!pid) log_error("watcher", "the agent could not be started: {}", pid.error().message());
    }
    if (agent != 0) {
      auto status = wait_for_end(agent);
      bool for_good = status && WIFEXITED(*status) && WEXITSTATUS(*status) != kExitAsked;
      if (for_good) return WEXITSTATUS(*status);
      log_warning("watcher", "the agent ended{}; starting it again",
                  status && WIFSIGNALED(*status) ? fmt::format(" by signal {}", WTERMSIG(*status)) : "");
    }
    agent = 0;
    if (os::system_clock().monotonic() - started > kStable) wait = kFirstWait;
    pause_for(wait);
    wait = std::min(wait * 2, kLongestWait);
  }
}

}  // namespace freehold::agent
