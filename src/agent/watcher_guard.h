// The agent and its watcher look after each other: the watcher starts the agent again when it ends, and the agent
// starts a watcher again when that ends. Only when both are killed at once does nobody come back (systemd is for that).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "agent/agent.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::agent {

class WatcherGuard {
 public:
  // Does nothing if options.watcher is 0.
  WatcherGuard(runtime::Loop& loop, const AgentOptions& options, std::function<void()> changed);

  std::optional<int64_t> watcher() const { return process_ ? std::optional<int64_t>(process_->pid) : std::nullopt; }
  // The agent ends for good: the watcher shall end too.
  void dismiss();

 private:
  void watch(pid_t pid);
  void on_ended(int);
  void on_timer(int);

  runtime::Loop& loop_;
  const AgentOptions& options_;
  std::function<void()> changed_;
  std::optional<os::ProcessId> process_;
  os::Fd pidfd_;
  std::unique_ptr<runtime::Watcher> watcher_;
  runtime::Timer timer_;
  bool child_ = false;  // we started it, and take its status
};

// The watcher's own life: starts the agent and starts it again whenever it ends, until it finishes. With `agent`, one
// that runs already is watched first. Returns the exit code of the process.
int run_watcher(const std::string& program, const std::string& state, pid_t agent);

}  // namespace freehold::agent
