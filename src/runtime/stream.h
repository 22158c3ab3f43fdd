// Sockets and other descriptors on a Loop: accept, connect, receive, send, wait.
//
// At most one receive and one send may be under way on a Stream at a time. close() cancels both; each still completes
// (with -ECANCELED, even if it had succeeded meanwhile) from the loop, so an owner frees itself when idle() holds, not
// before. Destroying a Stream that is not idle is a defect and ends the program, as is an operation beyond those
// limits; one started after close() completes with -ECANCELED. A Stream that is destroyed when idle closes its socket.
// Limits: one send or send_file takes at most 2^31 - 1 bytes; more completes with -EINVAL, and so does receiving into
// an empty buffer.
#pragma once

#include <span>
#include <string_view>

#include "os/fd.h"
#include "runtime/loop.h"

struct iovec;     // NOLINT(readability-identifier-naming): not our name
struct sockaddr;  // NOLINT(readability-identifier-naming): not our name

namespace freehold::runtime {

class StreamState;
class AcceptorState;
class WatcherState;

class Stream {
 public:
  // Takes a connected, or to be connected, non-blocking stream socket (TCP or unix).
  Stream(Loop& loop, os::Fd socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  // Completes with 0 or -errno.
  void connect(const sockaddr* address, size_t length, Completion done);
  // Completes as soon as anything is there: bytes received, 0 at the end of the stream, or -errno.
  void receive(std::span<char> buffer, Completion done);
  // Completes with 0 once the other side has data or its end waiting, without taking it, or with -errno: an idle
  // connection needs no buffer. Counts as the one receive.
  void wait_readable(Completion done);
  // Completes when all of it was handed to the kernel: the number of bytes, or -errno.
  void send(std::string_view bytes, Completion done);
  // The same for up to kMostPieces pieces in one call; the pieces (not only their bytes) must stay alive.
  static constexpr size_t kMostPieces = 16;
  void send(std::span<const iovec> pieces, Completion done);
  // Sends from a file at `offset` without copying through user memory; completes with the number of bytes sent, fewer
  // than `count` only if the file ended.
  void send_file(int file, uint64_t offset, size_t count, Completion done);

  // No more will be sent: the peer sees the end of the stream after what was sent.
  void shutdown_send();
  void close();
  bool closed() const;
  bool idle() const;  // nothing under way: may be destroyed
  int fd() const;
  Loop& loop() const;

 private:
  StreamState* state_;
};

// Accepts connections from a listening socket that it does not own; several loops may share one socket.
class Acceptor {
 public:
  // `accepted` is called with each new descriptor (non-blocking, close-on-exec), which is then its to close, or with
  // -errno; after -EMFILE or the like accepting pauses for a moment by itself. It goes on until close(). The listening
  // socket becomes non-blocking. Both close() and the destructor may be called from inside `accepted`.
  Acceptor(Loop& loop, int listening_socket, Completion accepted);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  // After this `accepted` is not called again. What the kernel had accepted meanwhile is closed.
  void close();

 private:
  AcceptorState* state_;
};

// What a Watcher waits for. With kBoth, `ready` does not say which it is: try both.
enum class Interest : uint8_t { kRead = 1, kWrite = 2, kBoth = 3 };

// Tells when a descriptor that is no Stream (a pidfd, an inotify, a pipe, a socket of a library) becomes readable.
// Level-triggered: `ready` is called with 0 each turn while it is. One Watcher per descriptor and loop, destroyed
// before the descriptor is closed. A descriptor that cannot be watched (a file): `ready` is called once with -errno.
class Watcher {
 public:
  Watcher(Loop& loop, int fd, Completion ready, Interest interest = Interest::kRead);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();  // may be destroyed at any time, also from inside `ready`

  void set_interest(Interest interest);

 private:
  WatcherState* state_;
};

}  // namespace freehold::runtime
