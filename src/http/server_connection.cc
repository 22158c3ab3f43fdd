#include "http/server_connection.h"

#include <cstring>

namespace freehold::http {
namespace {

// Holds any head (at most 64 KiB) and makes few calls of a large upload.
constexpr size_t kInputBytes = size_t{64} << 10;

Error too_long() { return {ErrorCode::kExhausted, "the body is longer than is allowed here"}; }
Error client_left() { return {ErrorCode::kCancelled, "the client went away"}; }

}  // namespace

ServerConnection::ServerConnection(Server& server, os::Fd socket, Peer peer)
    : server_(server),
      peer_(std::move(peer)),
      stream_(server.loop_, std::move(socket)),
      input_timer_(server.loop_, runtime::complete<&ServerConnection::on_input_timer>(this)),
      output_timer_(server.loop_, runtime::complete<&ServerConnection::on_output_timer>(this)),
      input_(std::make_unique_for_overwrite<char[]>(kInputBytes)) {}

void ServerConnection::start() {
  input_timer_.start(server_.limits_.idle_time);
  receive();
}

void ServerConnection::receive() {
  if (receiving_ || input_ended_ || phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) begin_ = end_ = 0;
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == kInputBytes && begin_ > 0) {
    std::memmove(input_.get(), input_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == kInputBytes) return;  // requests that wait for their turn fill it
  receiving_ = true;
  stream_.receive({input_.get() + end_, kInputBytes - end_}, runtime::complete<&ServerConnection::on_received>(this));
}

void ServerConnection::on_received(int result) {
  receiving_ = false;
  if (phase_ == Phase::kClosed) return remove_if_idle();
  if (result < 0) return close();
  if (result == 0) return on_input_end();
  end_ += static_cast<size_t>(result);
  if (phase_ == Phase::kLingering) return receive();
  if (phase_ == Phase::kHandling && body_wanted_) input_timer_.start(server_.limits_.body_time);
  advance();
}

void ServerConnection::on_input_end() {
  input_ended_ = true;
  // A client may end its side behind a whole request and wait for the answer; not so in the middle of one, and an
  // answer without end would never learn that nobody reads it.
  if (phase_ != Phase::kHandling || body_wanted_ || streaming()) close();
}

void ServerConnection::advance() {
  while (phase_ == Phase::kIdle || phase_ == Phase::kHead) {
    if (!advance_head()) return;
  }
  if (phase_ != Phase::kHandling) return;
  if (body_wanted_) advance_body();
  // Reading on tells when the client of a long answer goes away.
  if (phase_ == Phase::kHandling && (body_wanted_ || streaming())) receive();
}

// False: more must come first, or the answer.
bool ServerConnection::advance_head() {
  HeadResult result = parse_request_head({input_.get() + begin_, end_ - begin_}, server_.limits_.head, head_);
  switch (result.state) {
    case HeadState::kIncomplete:
      if (input_ended_) {
        close();
        return false;
      }
      if (begin_ != end_ && phase_ == Phase::kIdle) {
        phase_ = Phase::kHead;
        input_timer_.start(server_.limits_.head_time);
      }
      receive();
      return false;
    case HeadState::kRefused:
      refuse(result.status, result.reason);
      return false;
    case HeadState::kComplete:
      begin_exchange(result.consumed);
      return phase_ == Phase::kIdle;
  }
  return false;
}

void ServerConnection::begin_exchange(uint32_t consumed) {
  input_timer_.cancel();
  phase_ = Phase::kHandling;
  exchange_ =
      std::make_shared<Exchange>(*this, std::string_view(input_.get() + begin_, consumed), server_.limits_.head, peer_);
  begin_ += consumed;
  body_ = BodyReader(request_framing(head_));
  body_wanted_ = response_done_ = chunked_ = false;
  body_hidden_ = head_.method_id == Method::kHead;
  in_handler_ = true;
  auto exchange = exchange_;
  server_.handler_.on_request(std::move(exchange));
  in_handler_ = false;
  // From here on as for everything that arrives later.
  if (phase_ == Phase::kHandling && body_wanted_) advance_body();
  if (phase_ == Phase::kHandling && (body_wanted_ || streaming())) receive();
}

void ServerConnection::begin_body(uint64_t most) {
  const RequestHead& head = exchange_->head();
  body_left_ = most;
  body_wanted_ = true;
  if (head.content_length.value_or(0) > most) {
    return fail_body(413, too_long());
  }
  if (head.expect_continue && begin_ == end_ && !body_.complete()) {
    waiting_ += "HTTP/1.1 100 Continue\r\n\r\n";
    flush();
  }
  if (!body_.complete()) input_timer_.start(server_.limits_.body_time);
  if (!in_handler_) advance();
}

void ServerConnection::advance_body() {
  // Both are held here: from inside on_data the answer may be given, or the connection ended.
  auto exchange = exchange_;
  auto sink = std::move(exchange->sink_);
  while (begin_ != end_ && !body_.complete()) {
    BodyStep step = body_.next({input_.get() + begin_, end_ - begin_});
    begin_ += step.consumed;
    Result<void> taken;
    uint16_t status = 500;
    if (step.state == BodyState::kRefused) {
      status = 400;
      taken = Error(ErrorCode::kInvalid, std::string(step.reason));
    } else if (step.data.size() > body_left_) {
      status = 413;
      taken = too_long();
    } else if (!step.data.empty()) {
      body_left_ -= step.data.size();
      taken = sink->on_data(step.data);
    }
    if (phase_ == Phase::kClosed) return sink->on_failed(client_left());
    if (!body_wanted_) return;
    if (!taken) {
      exchange->sink_ = std::move(sink);
      return fail_body(status, taken.error());
    }
  }
  if (!body_.complete()) {
    exchange->sink_ = std::move(sink);
    return;
  }
  body_wanted_ = false;
  input_timer_.cancel();
  sink->on_end();
}

void ServerConnection::fail_body(uint16_t status, const Error& error) {
  body_wanted_ = false;
  input_timer_.cancel();
  auto exchange = exchange_;
  if (auto sink = std::move(exchange->sink_)) sink->on_failed(error);
  // An answer that has begun cannot say so any more, only break off.
  if (exchange->streaming_) return close();
  exchange->respond_text(status, error.message());
}

void ServerConnection::on_input_timer(int) {
  switch (phase_) {
    case Phase::kClosed:
      return remove_if_idle();
    case Phase::kHead:
      return refuse(408, "the request took too long");
    case Phase::kHandling:
      return fail_body(408, Error(ErrorCode::kTimeout, "the body took too long"));
    case Phase::kIdle:
    case Phase::kLingering:
      return close();
  }
}

void ServerConnection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  stream_.close();
  output_timer_.cancel();
  // Not from inside our own calls: the timer removes it, or what the stream still has under way.
  input_timer_.start(Duration::zero());
  auto exchange = std::move(exchange_);
  if (exchange == nullptr) return;
  auto sink = std::move(exchange->sink_);
  exchange->notify_gone();
  if (sink != nullptr) sink->on_failed(client_left());
}

void ServerConnection::wind_down() {
  if (phase_ == Phase::kIdle) return close();
  if (phase_ != Phase::kHandling || !streaming()) return;
  auto exchange = exchange_;
  exchange->streaming_ = false;
  exchange->notify_gone();
  if (phase_ != Phase::kClosed) end_response();
}

void ServerConnection::remove_if_idle() {
  if (stream_.idle()) server_.remove(this);
}

}  // namespace freehold::http
