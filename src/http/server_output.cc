// The half of a server's connection that writes answers.
#include "http/date.h"
#include "http/server_connection.h"

namespace freehold::http {
namespace {

// Handed to the stream at once: what must be sent within ServerLimits::send_time.
constexpr size_t kSendBytes = size_t{256} << 10;

}  // namespace

void ServerConnection::send_head(const Response& response, bool streaming) {
  const bool old_client = head_.minor_version == 0;
  const bool bodiless = response.status < 200 || response.status == 204 || response.status == 304;
  chunked_ = streaming && !old_client && !bodiless;
  // What was not read of the request would be taken for the next one.
  keep_alive_ = head_.keep_alive && body_.complete() && !server_.stopping_ && !input_ended_ && (chunked_ || !streaming);
  append_status_line(waiting_, response.status);
  append_field(waiting_, "Date", date_text(server_.loop_.clock().wall()));
  append_fields(waiting_, response.fields);
  if (chunked_) {
    append_field(waiting_, "Transfer-Encoding", "chunked");
  } else if (!streaming && !bodiless) {
    append_field(waiting_, "Content-Length", std::to_string(response.body.size()));
  }
  if (!keep_alive_) {
    append_field(waiting_, "Connection", "close");
  } else if (old_client) {
    append_field(waiting_, "Connection", "keep-alive");
  }
  waiting_ += "\r\n";
  body_hidden_ = body_hidden_ || bodiless;
  write_body(response.body);
}

void ServerConnection::write_body(std::string_view bytes) {
  if (bytes.empty() || body_hidden_) return;
  if (chunked_) waiting_ += ChunkHeader(bytes.size()).text();
  waiting_ += bytes;
  if (chunked_) waiting_ += kChunkEnd;
}

void ServerConnection::end_response() {
  if (chunked_ && !body_hidden_) waiting_ += kLastChunk;
  response_done_ = true;
  body_wanted_ = false;
  input_timer_.cancel();
  flush();
}

// An answer to what never became a request.
void ServerConnection::refuse(uint16_t status, std::string_view reason) {
  input_timer_.cancel();
  phase_ = Phase::kHandling;
  head_.keep_alive = false;
  head_.minor_version = 1;
  body_ = BodyReader();
  body_hidden_ = chunked_ = body_wanted_ = false;
  send_head(response_of(status, "text/plain; charset=utf-8", std::string(reason) + "\n"), false);
  end_response();
}

void ServerConnection::flush() {
  if (send_active_ || phase_ == Phase::kClosed) return;
  if (sent_ == sending_.size()) {
    sending_.clear();
    sent_ = 0;
    sending_.swap(waiting_);
  }
  if (sending_.empty()) {
    if (response_done_) finish_exchange();
    return;
  }
  send_active_ = true;
  output_timer_.start(server_.limits_.send_time);
  stream_.send(std::string_view(sending_).substr(sent_, kSendBytes),
               runtime::complete<&ServerConnection::on_sent>(this));
}

void ServerConnection::on_sent(int result) {
  send_active_ = false;
  output_timer_.cancel();
  if (phase_ == Phase::kClosed) return remove_if_idle();
  if (result < 0) return close();
  sent_ += static_cast<size_t>(result);
  auto exchange = exchange_;
  if (exchange != nullptr && exchange->writable_ && unsent() < Exchange::kManyUnsent / 4) {
    std::exchange(exchange->writable_, nullptr)();
  }
  flush();
}

// The client does not read: nothing that we could tell it would arrive.
void ServerConnection::on_output_timer(int) { close(); }

void ServerConnection::finish_exchange() {
  response_done_ = false;
  if (auto exchange = std::move(exchange_)) exchange->detach();
  if (!keep_alive_ || input_ended_ || server_.stopping_) {
    if (input_ended_) return close();
    // Closing with unread bytes would reset the connection, and the client might lose the answer.
    stream_.shutdown_send();
    phase_ = Phase::kLingering;
    input_timer_.start(server_.limits_.linger_time);
    return receive();
  }
  phase_ = Phase::kIdle;
  input_timer_.start(server_.limits_.idle_time);
  advance();
}

}  // namespace freehold::http
