#include "runtime/engine.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace freehold::runtime {
namespace {

// How often a turn lets completions cause further completions before it asks the kernel again: enough for a request's
// chain of steps, few enough that one busy stream cannot hold up the others.
constexpr int kMostRounds = 8;

}  // namespace

void defect(const char* what) {
  log_error("runtime", "defect: {}", what);
  std::abort();
}

void ReadyList::push(Operation& operation) {
  operation.before = head_.before;
  operation.after = &head_;
  head_.before->after = &operation;
  head_.before = &operation;
}

void ReadyList::remove(Operation& operation) {
  operation.before->after = operation.after;
  operation.after->before = operation.before;
  operation.before = operation.after = nullptr;
}

Operation* ReadyList::pop() {  // NOLINT(readability-make-member-function-const): it changes the list
  if (empty()) return nullptr;
  Operation* first = head_.after;
  remove(*first);
  return first;
}

void ReadyList::take_all(ReadyList& other) {
  if (other.empty()) return;
  head_.after = other.head_.after;
  head_.before = other.head_.before;
  head_.after->before = head_.before->after = &head_;
  other.head_.before = other.head_.after = &other.head_;
}

Result<std::unique_ptr<Loop>> Loop::create(Backend backend, os::Clock& clock) {
  [[maybe_unused]] static const auto before = std::signal(SIGPIPE, SIG_IGN);
  if (backend == Backend::kEpoll) return create_epoll(clock);
  if (backend == Backend::kUring) return create_uring(clock);
  const char* wanted = std::getenv("FREEHOLD_IO");
  if (wanted != nullptr && std::string_view(wanted) == "uring") {
    auto loop = create_uring(clock);
    if (loop) return loop;
    log_warning("runtime", "FREEHOLD_IO=uring, but {}; epoll is used", loop.error().message());
  }
  return create_epoll(clock);
}

Result<os::Fd> create_wake_fd() {
  os::Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return errno_error("cannot create an event descriptor", errno);
  return wake;
}

void Engine::run() {
  while (!stopping_.exchange(false, std::memory_order_acquire)) turn(std::nullopt);
}

void Engine::run_once(Duration most) { turn(most); }

void Engine::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

void Engine::post(std::function<void()> task) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = mailbox_.empty();
    mailbox_.push_back(std::move(task));
  }
  // Who posts to a mailbox that holds something already relies on the wake-up of the first.
  if (first) wake();
}

void Engine::wake() const {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the loop will wake up anyway.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void Engine::woken() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
  woken_ = true;
}

void Engine::run_posted() {
  if (!std::exchange(woken_, false)) return;
  std::vector<std::function<void()>> tasks;
  {
    const std::scoped_lock lock(mutex_);
    tasks.swap(mailbox_);
  }
  for (auto& task : tasks) task();
}

void Engine::finish(Operation& operation, int result) {
  operation.result = result;
  operation.resume = nullptr;
  if (!operation.queued()) ready_.push(operation);
}

void Engine::go_on(Operation& operation, void* owner, void (*resume)(void*)) {
  operation.owner = owner;
  operation.resume = resume;
  if (!operation.queued()) ready_.push(operation);
}

void Engine::deliver() {
  for (int round = 0; round < kMostRounds && !ready_.empty(); ++round) {
    ReadyList batch;
    batch.take_all(ready_);
    while (Operation* operation = batch.pop()) {
      if (auto resume = std::exchange(operation->resume, nullptr)) {
        resume(operation->owner);
        continue;
      }
      // Cleared first: the handler may start the next operation, or destroy this one.
      const Completion done = std::exchange(operation->done, {});
      done(operation->result);
    }
  }
}

void Engine::turn(std::optional<Duration> most) {
  if (!ready_.empty()) {
    most = Duration::zero();
  } else if (auto next = wheel_.next()) {
    const Duration until = std::max(*next - clock_.monotonic(), Duration::zero());
    most = most ? std::min(*most, until) : until;
  }
  wait(most);
  now_ = clock_.monotonic();
  in_turn_ = true;
  run_posted();
  deliver();
  wheel_.expire(now_);
  in_turn_ = false;
}

}  // namespace freehold::runtime
