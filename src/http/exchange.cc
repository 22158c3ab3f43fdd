#include "http/exchange.h"

#include "http/server_connection.h"

namespace freehold::http {
namespace {

// A body collected in memory, as a sink.
class Collector : public BodySink {
 public:
  explicit Collector(std::function<void(std::string)> ready) : ready_(std::move(ready)) {}
  Result<void> on_data(std::string_view bytes) override {
    body_ += bytes;
    return {};
  }
  void on_end() override { ready_(std::move(body_)); }
  void on_failed(const Error&) override {}

 private:
  std::string body_;
  std::function<void(std::string)> ready_;
};

}  // namespace

Exchange::Exchange(ServerConnection& connection, std::string_view head_bytes, const HeadLimits& limits,
                   const Peer& peer)
    : connection_(&connection), head_bytes_(head_bytes), head_(std::make_unique<RequestHead>()), peer_(peer) {
  // Parsed again where it stays: the connection's buffer goes on to other things. What was accepted once is again.
  static_cast<void>(parse_request_head(head_bytes_, limits, *head_));
}

void Exchange::collect_body(uint64_t most, std::function<void(std::string)> ready) {
  stream_body(most, std::make_unique<Collector>(std::move(ready)));
}

void Exchange::stream_body(uint64_t most, std::unique_ptr<BodySink> sink) {
  if (connection_ == nullptr || body_taken_ || answered_) return;
  body_taken_ = true;
  sink_ = std::move(sink);
  connection_->begin_body(most);
}

void Exchange::respond(const Response& response) {
  if (connection_ == nullptr || answered_) return;
  answered_ = true;
  connection_->send_head(response, false);
  connection_->end_response();
}

void Exchange::respond_text(uint16_t status, std::string_view text) {
  respond(response_of(status, "text/plain; charset=utf-8", std::string(text) + "\n"));
}

void Exchange::start(const Response& head) {
  if (connection_ == nullptr || answered_) return;
  answered_ = streaming_ = true;
  connection_->send_head(head, true);
  connection_->flush();
}

bool Exchange::write(std::string_view bytes) {
  if (connection_ == nullptr || !streaming_) return false;
  connection_->write_body(bytes);
  if (connection_->unsent() > kMostUnsent) {
    connection_->close();
    return false;
  }
  connection_->flush();
  return connection_ != nullptr && connection_->unsent() < kManyUnsent;
}

void Exchange::finish() {
  if (connection_ == nullptr || !streaming_) return;
  streaming_ = false;
  connection_->end_response();
}

void Exchange::when_writable(std::function<void()> callback) {
  writable_ = std::move(callback);
  if (connection_ != nullptr && connection_->unsent() < kManyUnsent && writable_) std::exchange(writable_, nullptr)();
}

void Exchange::when_gone(std::function<void()> callback) {
  if (connection_ == nullptr) {
    if (callback && !answered_) callback();
    return;
  }
  gone_ = std::move(callback);
}

void Exchange::abort() {
  if (connection_ != nullptr) connection_->close();
}

void Exchange::detach() {
  connection_ = nullptr;
  // Callbacks and the sink may hold this exchange: without letting go of them it would stay for ever.
  writable_ = nullptr;
  gone_ = nullptr;
  sink_.reset();
}

void Exchange::notify_gone() {
  auto callback = std::move(gone_);
  detach();
  if (callback) callback();
}

}  // namespace freehold::http
