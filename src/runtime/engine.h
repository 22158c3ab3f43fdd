// Engine: what both kinds of Loop have in common, and the interface that Stream, Acceptor and Watcher use of them.
//
// A turn is: wait for the kernel and note what it reports, run posted tasks, call completions, call timers. While the
// kernel's reports are gone through no handler runs, so nothing that a report points at can have been destroyed.
// Internal to runtime.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "os/fd.h"
#include "runtime/loop.h"
#include "runtime/wheel.h"

namespace freehold::runtime {

class StreamState;
class AcceptorState;
class WatcherState;
enum class Interest : uint8_t;

// Ends the program: the caller broke the contract of a header, and going on would corrupt memory.
[[noreturn]] void defect(const char* what);

// One operation under way, and its place in the list of those whose completion is due.
struct Operation {
  Operation* before = nullptr;
  Operation* after = nullptr;  // null when not in a list
  Completion done;             // its function is null when nothing is under way
  // Set when the operation asked to go on in the next round instead of completing.
  void (*resume)(void* owner) = nullptr;
  void* owner = nullptr;  // for resume
  int result = 0;

  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  bool pending() const { return done.function != nullptr; }
  bool queued() const { return after != nullptr; }
};

// Intrusive, circular around a head; an operation can leave it without knowing which list it is in.
class ReadyList {
 public:
  ReadyList() { head_.before = head_.after = &head_; }
  bool empty() const { return head_.after == &head_; }
  void push(Operation& operation);
  Operation* pop();
  void take_all(ReadyList& other);
  static void remove(Operation& operation);

 private:
  Operation head_;
};

class Engine : public Loop {
 public:
  static Engine& of(Loop& loop) { return static_cast<Engine&>(loop); }

  void run() final;
  void run_once(Duration most) final;
  void stop() final;
  void post(std::function<void()> task) final;

  Wheel& wheel() { return wheel_; }
  // From when a timer counts: the turn's time within a turn, the clock's outside, where now() may be long past.
  MonotonicTime time() const { return in_turn_ ? now_ : clock_.monotonic(); }

  // Queues the completion of `operation` with `result`; a second call before it is delivered replaces the result.
  void finish(Operation& operation, int result);
  // Calls resume in the next round.
  void go_on(Operation& operation, void* owner, void (*resume)(void* owner));

  virtual StreamState* new_stream(os::Fd socket) = 0;
  virtual AcceptorState* new_acceptor(int listening_socket, Completion accepted) = 0;
  virtual WatcherState* new_watcher(int fd, Completion ready, Interest interest) = 0;

 protected:
  Engine(os::Clock& clock, os::Fd wake) : Loop(clock), wheel_(now_), wake_(std::move(wake)) {}

  // Waits at most `most` (none: for ever) and queues what happened. Calls no handler.
  virtual void wait(std::optional<Duration> most) = 0;
  int wake_fd() const { return wake_.get(); }
  // The eventfd was seen readable.
  void woken();

 private:
  void turn(std::optional<Duration> most);
  void deliver();
  void run_posted();
  void wake() const;

  Wheel wheel_;
  ReadyList ready_;
  bool in_turn_ = false;
  bool woken_ = false;
  os::Fd wake_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::vector<std::function<void()>> mailbox_;  // under mutex_
};

Result<std::unique_ptr<Loop>> create_epoll(os::Clock& clock);
Result<std::unique_ptr<Loop>> create_uring(os::Clock& clock);
Result<os::Fd> create_wake_fd();

}  // namespace freehold::runtime
