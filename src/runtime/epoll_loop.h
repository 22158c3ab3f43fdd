// The engine on epoll(7).
//
// A stream's socket is registered once, edge-triggered for everything, when it first has to wait; what the kernel
// reported is kept as flags, so an operation that can be done at once costs its own system call and nothing else.
// Internal to runtime.
#pragma once

#include <sys/epoll.h>

#include <array>

#include "runtime/state.h"

namespace freehold::runtime {

// What epoll's data points at.
class Pollable {
 public:
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

class EpollLoop final : public Engine {
 public:
  EpollLoop(os::Clock& clock, os::Fd wake, os::Fd epoll);

  Backend backend() const override { return Backend::kEpoll; }
  StreamState* new_stream(os::Fd socket) override;
  AcceptorState* new_acceptor(int listening_socket, Completion accepted) override;
  WatcherState* new_watcher(int fd, Completion ready, Interest interest) override;

  // 0 or -errno.
  int add(int fd, uint32_t events, Pollable& target);
  int modify(int fd, uint32_t events, Pollable& target);
  void remove(int fd);

 private:
  // Enough that a busy core asks seldom, small enough for the first-level cache.
  static constexpr size_t kMostEvents = 128;
  void wait(std::optional<Duration> most) override;

  os::Fd epoll_;
  std::array<epoll_event, kMostEvents> events_;
};

class EpollStream final : public StreamState, private Pollable {
 public:
  EpollStream(EpollLoop& loop, os::Fd socket) : StreamState(loop, std::move(socket)) {}

  void connect(const sockaddr* address, size_t length) override;
  void receive(std::span<char> buffer) override;
  void wait_readable() override;
  void send() override;
  void close() override;

 private:
  void on_events(uint32_t events) override;
  EpollLoop& loop() const { return static_cast<EpollLoop&>(engine_); }
  // Registers the socket if it is not yet; completes `operation` with the error if that fails.
  void await(Operation& operation);
  void try_receive();
  void finish_connect();
  // False if the operation was completed with an error.
  bool send_some();
  void send_file();

  std::span<char> buffer_;  // empty: waiting for readability only
  bool registered_ = false;
  bool readable_ = false;  // not known yet; registering tells
  bool writable_ = true;   // a new socket is; if not, the first send finds out
  bool ended_ = false;     // the peer ended or reset: there will always be something to receive, and no further report
  bool connecting_ = false;
};

}  // namespace freehold::runtime
