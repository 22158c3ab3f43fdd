// Exchange: one request carried to an upstream, and its answer back.
//
// Two pumps run side by side: the request's body from client to upstream through the client's buffer, the answer from
// upstream to client through a buffer of its own. Each has at most one piece under way, so a slow side holds back the
// other and memory is bounded.
//
// As long as the client's buffer still holds all of what was sent, the request can be sent again: on another connection
// if a kept one turned out to be dead, on another instance if this one went away before it answered. Requests that are
// not idempotent are sent again only if nothing of them was sent. Where no instance is left, the request waits in its
// pool's queue. Answers come once; after their first byte nothing is tried again.
//
// A client that closes its connection, or its half of it, while it waits is taken for gone, as browsers go: the request
// to the upstream ends too, so that nobody works for nobody.
#pragma once

#include "gateway/body_block.h"
#include "gateway/upstream.h"
#include "http/body.h"

namespace freehold::gateway {

class ClientConnection;
struct Target;

class Exchange final : private Waiter, private UpstreamUser {
 public:
  explicit Exchange(ClientConnection& client) : client_(client) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() = default;  // cancelled or finished before

  // The client's buffer holds the head, parsed in buffer()->request, and perhaps more from `head_end` on.
  void start(ServicePool& pool, model::Balance balance, size_t head_end);
  void on_timeout();
  // The client is gone.
  void cancel();

 private:
  enum class Stage : uint8_t { kNone, kQueued, kConnecting, kAwaiting, kAnswering };

  // ---- finding a connection (exchange.cc)
  bool prepare(size_t head_end);
  void attempt();
  void queue();
  void on_endpoint_available() override;
  void on_connected(int result);
  void send_request();
  void on_cut() override;
  enum class Failure : uint8_t { kConnect, kBeforeAnswer };
  void upstream_failed(Failure failure, uint16_t status);
  void drop_upstream();
  void fail(uint16_t status);
  std::string failure_text(uint16_t status) const;

  // ---- the request's body (exchange_request.cc)
  void on_request_sent(int result);
  void read_body();
  void on_body_readable(int result);
  void on_body_received(int result);
  bool body_allowed(uint64_t more);

  // ---- the answer (exchange_response.cc)
  void await_response();
  void receive_response();
  void on_response_readable(int result);
  void on_response_received(int result);
  void parse_response();
  void forward_interim(size_t head_end);
  void on_interim_sent(int result);
  void forward_head(size_t head_end);
  void switch_protocols(size_t head_end);
  void on_switch_sent(int result);
  void forward_body(size_t begin, size_t end);
  void upstream_ended();
  void answer_complete(bool nothing_behind);
  void send_to_client(std::string_view bytes);
  void on_client_sent(int result);
  void finish();

  // ---- the client meanwhile (exchange_request.cc)
  void watch_client();
  void on_client_readable(int result);
  // It has taken longer than any request may.
  bool overdue() const;

  ClientConnection& client_;
  ServicePool* pool_ = nullptr;
  Endpoint* last_failed_ = nullptr;  // compared only, never followed
  Upstream* upstream_ = nullptr;
  model::Balance balance_ = model::Balance::kRoundRobin;
  Stage stage_ = Stage::kNone;
  uint32_t attempts_ = 0;  // that sent something
  uint32_t interims_ = 0;  // 1xx of this attempt
  bool replayable_ = false;
  bool idempotent_ = false;
  bool fresh_only_ = false;
  bool request_complete_ = false;  // received from the client
  bool request_sending_ = false;
  bool request_failed_ = false;  // the upstream took no more of it
  bool response_complete_ = false;
  bool client_sending_ = false;
  bool more_expected_ = false;  // the last receive filled the buffer
  bool keep_client_ = false;
  bool upstream_keeps_ = false;  // its connection can carry another request
  OutputFraming request_output_ = OutputFraming::kPlain;
  OutputFraming response_output_ = OutputFraming::kPlain;
  MonotonicTime queue_deadline_{};
  size_t request_begin_ = 0;  // what is (re)sent, in the client's buffer
  size_t request_end_ = 0;
  http::BodyReader request_reader_;
  http::BodyReader response_reader_;
  BufferRef response_;
  size_t response_begin_ = 0;  // received and not yet forwarded
  size_t response_end_ = 0;
};

}  // namespace freehold::gateway
