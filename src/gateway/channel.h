// Channel: a Stream whose user may leave at any time.
//
// The runtime wants every operation's buffer and completion to stay until it ends. A channel holds both: it keeps a
// reference to the buffer of each operation, passes completions on to its user, and after release() passes none on,
// closes, and frees itself once nothing is under way. So an exchange between two channels can end without waiting for
// either.
//
// Threads: the core's own.
#pragma once

#include "gateway/buffer.h"
#include "runtime/stream.h"

namespace freehold::gateway {

class Channel {
 public:
  // Never destroyed by its user: release() is how it ends. `alive` counts those that are not yet free.
  static Channel* create(runtime::Loop& loop, os::Fd socket, size_t& alive) {
    return new Channel(loop, std::move(socket), alive);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void connect(const sockaddr* address, size_t length, runtime::Completion done);
  // Completes once there is something to receive. If a wait is under way already, only who is told changes.
  void wait_readable(runtime::Completion done);
  void receive(BufferRef buffer, std::span<char> space, runtime::Completion done);
  // `buffer` holds the bytes, or is empty for static text.
  void send(BufferRef buffer, std::string_view bytes, runtime::Completion done);
  void send_file(int file, uint64_t offset, size_t count, runtime::Completion done);

  // A receive (not a wait) is under way: no other can be started.
  bool receiving() const { return receiving_; }
  // A wait is under way: bytes are received when it has ended.
  bool waiting() const { return waiting_; }
  // Nobody is told how the wait or receive under way ends, until the next one is started.
  void ignore_readable() { on_input_ = {}; }
  void shutdown_send() { stream_.shutdown_send(); }
  int fd() const { return stream_.fd(); }

  // Closes it; `file` is kept open until nothing is under way. The pointer is invalid afterwards.
  void release(os::Fd file);
  void release() { release({}); }
  // The same, and the other side sees a reset instead of an end: what it was sent is not complete.
  void abort(os::Fd file);

 private:
  Channel(runtime::Loop& loop, os::Fd socket, size_t& alive) : stream_(loop, std::move(socket)), alive_(alive) {
    ++alive_;
  }
  ~Channel() { --alive_; }
  void on_readable(int result);
  void on_received(int result);
  void on_output(int result);
  void free_if_idle();

  runtime::Stream stream_;
  size_t& alive_;
  runtime::Completion on_input_;   // of a wait or a receive
  runtime::Completion on_output_;  // of a connect or a send
  BufferRef input_;
  BufferRef output_;
  os::Fd file_;
  bool waiting_ = false;
  bool receiving_ = false;
  bool released_ = false;
};

}  // namespace freehold::gateway
