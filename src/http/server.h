// Server: a small HTTP/1.1 server on a Loop, for the API: unix sockets and loopback TCP, few clients, long answers.
//
//   Server server(loop, handler, {});
//   FH_TRY(server.listen(std::move(listening_socket)));
//   ...
//   server.stop(std::chrono::seconds(5), [&] { loop.stop(); });
//
// Keep-alive, HEAD, Expect: 100-continue, chunked in both directions. Requests on one connection are answered one after
// the other; what is pipelined waits in the buffer. Ownership: Loop and Handler must outlive it. Destroy it only before
// listen() or once stop() has said so. Threads: the loop's. Memory: 70 KiB per connection, and what streaming answers
// have unsent.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "http/exchange.h"
#include "http/head.h"
#include "os/fd.h"
#include "runtime/loop.h"
#include "runtime/timer.h"

namespace freehold::http {

class Handler {
 public:
  virtual ~Handler() = default;
  // The head is complete, the body not read. Must be answered, now or later.
  virtual void on_request(std::shared_ptr<Exchange> exchange) = 0;
  // Whether the peer is somebody before it has said anything. Others may hold half of all connections, so that they
  // cannot keep those out.
  virtual bool is_known(const Peer&) const { return true; }
};

struct ServerLimits {
  HeadLimits head;
  size_t connections = 256;  // more are answered 503
  Duration idle_time = std::chrono::seconds(60);
  Duration head_time = std::chrono::seconds(10);   // from the first byte of a head to its last
  Duration body_time = std::chrono::seconds(30);   // without a byte of a body that is wanted
  Duration send_time = std::chrono::seconds(30);   // for 256 KiB of an answer
  Duration linger_time = std::chrono::seconds(2);  // for a client to notice that the connection ends
};

class Server {
 public:
  Server(runtime::Loop& loop, Handler& handler, const ServerLimits& limits);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Accepts from a listening socket, unix or TCP, and keeps it. Several may be given.
  Result<void> listen(os::Fd listening_socket);

  // No new connections; idle ones end; answers that are under way may finish within `drain`, streaming ones are told
  // that they are gone and end well-formed. Then `stopped`, once: it may destroy the server, and may be called from
  // inside.
  void stop(Duration drain, std::function<void()> stopped);

  size_t connections() const { return connections_.size(); }

 private:
  friend class ServerConnection;
  struct Listener;
  void on_accepted(const Listener& listener, int result);
  void on_drained(int result);
  void remove(ServerConnection* connection);

  runtime::Loop& loop_;
  Handler& handler_;
  ServerLimits limits_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<ServerConnection*, std::unique_ptr<ServerConnection>> connections_;
  std::unordered_set<const ServerConnection*> strangers_;  // of them, those of peers that are not known
  runtime::Timer drain_;
  bool stopping_ = false;
  std::function<void()> stopped_;
};

}  // namespace freehold::http
