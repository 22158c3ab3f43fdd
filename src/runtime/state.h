// What an engine keeps for each Stream, Acceptor and Watcher. Allocated once per object, nothing per operation.
// Internal to runtime.
#pragma once

#include <sys/uio.h>

#include <span>

#include "runtime/engine.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::runtime {

// What a send still has to do: memory pieces, or a part of a file.
struct Outgoing {
  iovec single{};                 // the storage of a send of one piece
  const iovec* pieces = nullptr;  // null: a file
  uint32_t count = 0;
  uint32_t index = 0;  // the piece being sent
  size_t offset = 0;   // within that piece, or within the file
  size_t left = 0;
  int file = -1;
  int total = 0;  // sent

  void set(std::string_view bytes);
  void set(std::span<const iovec> several);
  void set_file(int from, uint64_t at, size_t bytes);
  void advance(size_t sent);
  bool complete() const { return left == 0; }
  // The rest of the current piece if it is the last one, else empty: then rest() is needed.
  std::span<const char> last_piece() const;
  enum class Sent { kSome, kAll, kFull, kFailed };
  // Sends as much of the file as one turn may; kFailed leaves errno.
  Sent send_file_chunk(int socket);
  // Fills `target` with what is left, and returns how many entries that are.
  size_t rest(std::span<iovec, Stream::kMostPieces> target) const;
};

class StreamState {
 public:
  StreamState(Engine& engine, os::Fd socket) : engine_(engine), socket_(std::move(socket)) {}
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;
  virtual ~StreamState() = default;

  // Each follows a begin() of its operation that returned true.
  virtual void connect(const sockaddr* address, size_t length) = 0;
  virtual void receive(std::span<char> buffer) = 0;
  virtual void wait_readable() = 0;
  virtual void send() = 0;  // outgoing_
  virtual void close() = 0;

  // Notes the completion; false if the Stream is closed, which has then been answered.
  bool begin(Operation& operation, Completion done);
  void start_sending();
  bool idle() const { return !receiving_.pending() && !sending_.pending(); }
  bool closed() const { return closed_; }
  int fd() const { return socket_.get(); }
  Engine& engine() const { return engine_; }

  Operation receiving_;
  Operation sending_;
  Outgoing outgoing_;

 protected:
  Engine& engine_;
  os::Fd socket_;
  bool closed_ = false;
};

class AcceptorState {
 public:
  AcceptorState(Engine& engine, int socket, Completion accepted);
  AcceptorState(const AcceptorState&) = delete;
  AcceptorState& operator=(const AcceptorState&) = delete;
  virtual ~AcceptorState() = default;

  void close();
  // The Acceptor is gone: closes, and deletes itself as soon as nothing refers to it.
  virtual void abandon();

 protected:
  enum class Next { kGoOn, kStop };
  // Passes on what accept gave. kStop: closed, or accepting pauses.
  Next handle(int result);
  virtual void start_accepting() = 0;
  virtual void stop_accepting() = 0;
  // Whether the kernel or a caller up the stack still refers to this.
  virtual bool referenced() const = 0;
  void delete_if_abandoned();

  Engine& engine_;
  int socket_;
  bool closed_ = false;
  bool abandoned_ = false;

 private:
  void on_pause_over(int result);

  Completion accepted_;
  Timer pause_;
};

class WatcherState {
 public:
  virtual ~WatcherState() = default;
  virtual void set_interest(Interest interest) = 0;
  // The Watcher is gone: `ready` is not called any more; deletes itself as soon as nothing refers to it.
  virtual void abandon() = 0;
};

}  // namespace freehold::runtime
