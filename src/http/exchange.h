// Exchange: one request on a Server and its answer. The handler keeps it as long as it works on the answer.
//
//   void on_request(std::shared_ptr<Exchange> exchange) {
//     if (exchange->head().path == "/events") {              // an answer that goes on
//       exchange->start({200, {{"Content-Type", "application/x-ndjson"}}, {}});
//       exchange->when_gone([this] { ... });
//       exchange->write("{}\n");
//     } else {                                               // a request with a body, answered at once
//       exchange->collect_body(1 << 20, [exchange](std::string body) { exchange->respond(...); });
//     }
//   }
//
// The body: the handler chooses collect_body or stream_body, at most one and at most once; until then none of it is
// read, so that a request can be refused before it costs anything (Expect: 100-continue is answered when the body is
// asked for). An answer given before the body was read ends the connection. Errors: what is wrong with the body (too
// long: 413, malformed: 400, too slow: 408) is answered by the server itself unless the sink answers in on_failed.
// Threads: the loop's. After the client has gone, or the answer is complete, every call does nothing. Callbacks may be
// called from inside the calls that set them or write.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/head.h"
#include "http/message.h"
#include "net/connect.h"

namespace freehold::http {

class ServerConnection;

// Who asks. A unix socket tells the process; TCP only an address.
struct Peer {
  std::optional<net::PeerCredentials> credentials;  // unix sockets
  std::string address;                              // TCP: "127.0.0.1:4711"
};

// Takes a body piece by piece, as it arrives. One of on_end and on_failed is called, once, unless the request is
// answered before the body was whole. Never destroyed from inside its own calls.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // An error stops the body; on_failed then gets it. May block for as long as a disk does.
  virtual Result<void> on_data(std::string_view bytes) = 0;
  virtual void on_end() = 0;
  // kCancelled: the client went away. kExhausted: longer than allowed. kInvalid: malformed. kTimeout. Or on_data's own.
  virtual void on_failed(const Error& error) = 0;
};

class Exchange {
 public:
  Exchange(ServerConnection& connection, std::string_view head_bytes, const HeadLimits& limits, const Peer& peer);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const RequestHead& head() const { return *head_; }
  const Peer& peer() const { return peer_; }

  void collect_body(uint64_t most, std::function<void(std::string body)> ready);
  void stream_body(uint64_t most, std::unique_ptr<BodySink> sink);

  // A whole answer. For HEAD the body is measured and not sent.
  void respond(const Response& response);
  void respond_text(uint16_t status, std::string_view text);  // text/plain, with a line end

  // An answer that is written bit by bit: status and fields first (a body in them is the first bit).
  void start(const Response& head);
  // False: more than kManyUnsent is waiting for the client; wait for when_writable. A client that lets kMostUnsent pile
  // up is dropped.
  static constexpr size_t kManyUnsent = size_t{256} << 10;
  static constexpr size_t kMostUnsent = size_t{8} << 20;
  bool write(std::string_view bytes);
  void finish();
  // Called once, when little is waiting again.
  void when_writable(std::function<void()> callback);
  // Called once if the client leaves, or the server stops, before the answer is complete.
  void when_gone(std::function<void()> callback);
  // Ends the connection now: the client sees that the answer is not whole. A sink still gets on_failed.
  void abort();

  bool answered() const { return answered_; }
  bool gone() const { return connection_ == nullptr; }

 private:
  friend class ServerConnection;
  void detach();       // the answer is complete
  void notify_gone();  // it never will be

  ServerConnection* connection_;
  std::string head_bytes_;
  std::unique_ptr<RequestHead> head_;
  Peer peer_;
  bool answered_ = false;  // respond or start was called
  bool streaming_ = false;
  bool body_taken_ = false;  // collect_body or stream_body was called
  std::unique_ptr<BodySink> sink_;
  std::function<void()> writable_;
  std::function<void()> gone_;
};

}  // namespace freehold::http
