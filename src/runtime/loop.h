// Loop: one thread's event loop behind a completion-style interface, on epoll or io_uring.
//
// An operation is started with a buffer and a Completion, and ends exactly once by calling it: with a count of bytes or
// a descriptor, or with a negative errno; -ECANCELED if it was cancelled. The completion is never called from inside
// the call that started or cancelled it, always from run(). Until then buffer and completion's object must stay alive;
// that is what makes io_uring possible, where the kernel writes into the buffer by itself.
//
//   class Echo {
//     void start() { stream_.receive(buffer_, complete<&Echo::on_received>(this)); }
//     void on_received(int result);
//   };
//
// Threads: everything belongs to the thread that runs the loop, except post() and stop(), which any thread may call.
// Signals: the first loop makes the process ignore SIGPIPE, because sendfile(2) cannot be told not to raise it; who
// starts other programs resets it for them. Limits: none of its own; what is started is what costs. Nothing is
// allocated per operation on the hot path.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "os/clock.h"

namespace freehold::runtime {

// A member function bound to an object, without allocation. Trivially copyable.
struct Completion {
  void* object = nullptr;
  void (*function)(void* object, int result) = nullptr;
  void operator()(int result) const { function(object, result); }
};

namespace detail {
template <class T>
struct ClassOf;
template <class C>
struct ClassOf<void (C::*)(int)> {
  using Class = C;
};
}  // namespace detail

template <auto Member>
Completion complete(typename detail::ClassOf<decltype(Member)>::Class* object) {
  using Class = typename detail::ClassOf<decltype(Member)>::Class;
  return {object, [](void* self, int result) { (static_cast<Class*>(self)->*Member)(result); }};
}

enum class Backend { kAutomatic, kEpoll, kUring };

class Loop {
 public:
  // kAutomatic: epoll, unless FREEHOLD_IO=uring asks for io_uring and the kernel allows it. kUring fails with
  // kUnsupported where the kernel forbids it (io_uring_disabled, seccomp) or lacks an operation that is used.
  static Result<std::unique_ptr<Loop>> create(Backend backend, os::Clock& clock = os::system_clock());
  virtual ~Loop() = default;

  virtual Backend backend() const = 0;
  os::Clock& clock() const { return clock_; }
  // The time at which this turn of the loop began: one clock read serves all handlers of a turn.
  MonotonicTime now() const { return now_; }

  // Runs until stop(). Idle, it sleeps without waking up.
  virtual void run() = 0;
  // One turn: waits at most `most` for something to happen, then calls what is due. For tests and simulations.
  virtual void run_once(Duration most) = 0;
  virtual void stop() = 0;
  // Runs `task` on the loop's thread, in order of posting. The mailbox between cores.
  virtual void post(std::function<void()> task) = 0;

 protected:
  explicit Loop(os::Clock& clock) : clock_(clock), now_(clock.monotonic()) {}
  os::Clock& clock_;
  MonotonicTime now_;
};

}  // namespace freehold::runtime
