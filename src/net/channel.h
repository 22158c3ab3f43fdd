// MessageChannel: whole messages, with file descriptors, between two processes over a unix stream socket.
//
// Order is kept, a message arrives whole or not at all, and its descriptors arrive with it. What has been sent may
// still be lost if the other side goes: a protocol above acknowledges what matters.
//
// Ownership: the channel owns its socket and what waits to be sent; received messages belong to the handler. It may be
// destroyed at any time, also within a handler. Threads: the loop's.
// Limits: the size of a message, its descriptors, and the bytes that wait to be sent: a peer that does not read cannot
// fill our memory. A peer that breaks the framing or the limits is disconnected.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "net/frame.h"
#include "os/fd.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::net {

class MessageChannel {
 public:
  // The kernel passes no more with one message (SCM_MAX_FD); limits beyond are cut to it.
  static constexpr size_t kMostDescriptors = 253;

  struct Limits {
    FrameLimits frame;
    Bytes unsent{uint64_t{128} << 20};
  };
  struct Message {
    std::string bytes;
    std::vector<os::Fd> fds;
  };
  struct Handlers {
    std::function<void(Message)> received;
    // The connection is over: kUnavailable if the other side ended it, kCorrupt if it broke the protocol, kExhausted if
    // we have no descriptors left for those it passed. Called once, from the loop, and not after close().
    std::function<void(const Error&)> closed;
  };

  // `socket`: a connected unix stream socket; it becomes non-blocking.
  MessageChannel(runtime::Loop& loop, os::Fd socket, Handlers handlers, Limits limits);
  MessageChannel(runtime::Loop& loop, os::Fd socket, Handlers handlers)
      : MessageChannel(loop, std::move(socket), std::move(handlers), Limits()) {}
  MessageChannel(const MessageChannel&) = delete;
  MessageChannel& operator=(const MessageChannel&) = delete;
  ~MessageChannel();

  // Sends at once as far as the socket takes it, the rest when it can. kInvalid beyond the limits of a message;
  // kExhausted if too much waits already: the message is dropped, the connection stays; kUnavailable if it is over.
  Result<void> send(std::string bytes, std::vector<os::Fd> fds = {});
  // Ends the connection; what waits to be sent is dropped.
  void close();

  bool closed() const { return !socket_; }
  Bytes unsent() const { return Bytes{unsent_}; }
  int fd() const { return socket_.get(); }  // for peer_credentials(); -1 when closed

 private:
  struct Outgoing {
    FrameHeader header;
    std::string bytes;
    std::vector<os::Fd> fds;
    size_t sent = 0;  // of header and bytes together
  };

  void on_ready(int result);
  void on_failed(int result);
  // False when the channel was closed or destroyed meanwhile.
  bool receive();
  bool take(std::string_view input);
  // Returns 0 when it is all sent or the socket is full, or an errno.
  int flush();
  void fail(Error error);

  runtime::Loop& loop_;
  os::Fd socket_;
  std::shared_ptr<Handlers> handlers_;  // shared with the call under way: a handler may destroy the channel
  Limits limits_;
  FrameDecoder decoder_;
  std::vector<os::Fd> received_fds_;  // arrived, their message not yet complete
  std::deque<Outgoing> queue_;
  uint64_t unsent_ = 0;
  std::unique_ptr<runtime::Watcher> watcher_;
  runtime::Timer failed_;  // delivers an error of send() from the loop
  Error failure_{ErrorCode::kUnavailable, ""};
  bool* destroyed_ = nullptr;  // set while a handler runs
};

}  // namespace freehold::net
