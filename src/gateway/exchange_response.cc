// The answer on its way from upstream to client.
#include <algorithm>
#include <cstring>

#include "gateway/client_connection.h"
#include "gateway/core.h"
#include "gateway/exchange.h"
#include "gateway/forward_head.h"

namespace freehold::gateway {
namespace {

constexpr uint32_t kMostInterims = 16;

}  // namespace

void Exchange::await_response() {
  upstream_->channel().wait_readable(runtime::complete<&Exchange::on_response_readable>(this));
}

void Exchange::on_response_readable(int /*result*/) {
  // Also after an error: receiving tells what was sent before it.
  if (!response_) {
    response_ = client_.core().buffers().take();
    if (!response_) {
      client_.core().counters().shed.add();
      if (stage_ == Stage::kAwaiting) return fail(503);
      cancel();
      return client_.finished(AfterReply::kAbort);
    }
    if (stage_ == Stage::kAwaiting) response_->response.clear();
    response_begin_ = response_end_ = Buffer::kBegin;
  }
  receive_response();
}

void Exchange::receive_response() {
  upstream_->channel().receive(response_, response_->space(response_end_),
                               runtime::complete<&Exchange::on_response_received>(this));
}

void Exchange::on_response_received(int result) {
  if (result <= 0) return upstream_ended();
  const auto count = static_cast<size_t>(result);
  more_expected_ = count == Buffer::kEnd - response_end_;
  response_end_ += count;
  if (stage_ == Stage::kAwaiting) return parse_response();
  forward_body(response_begin_, response_end_);
}

void Exchange::upstream_ended() {
  if (stage_ == Stage::kAwaiting) return upstream_failed(Failure::kBeforeAnswer, 502);
  if (!response_reader_.complete_at_close()) {
    cancel();
    return client_.finished(AfterReply::kAbort);
  }
  answer_complete(false);
  const std::string_view end = end_of_body(response_output_);
  if (end.empty()) return finish();
  response_.reset();
  send_to_client(end);
}

void Exchange::parse_response() {
  const http::HeadLimits limits{.bytes = static_cast<uint32_t>(client_.core().limits().head_bytes)};
  const std::string_view bytes(response_->bytes + response_begin_, response_end_ - response_begin_);
  const http::HeadResult head = http::parse_response_head(bytes, limits, response_->response);
  if (head.state == http::HeadState::kIncomplete) {
    // Behind interim answers there may be no room left; the parser allows its bytes to move.
    const size_t length = response_end_ - response_begin_;
    std::memmove(response_->bytes + Buffer::kBegin, response_->bytes + response_begin_, length);
    response_begin_ = Buffer::kBegin;
    response_end_ = Buffer::kBegin + length;
    return await_response();
  }
  if (head.state == http::HeadState::kRefused) return fail(502);
  const size_t head_end = response_begin_ + head.consumed;
  const uint16_t status = response_->response.status;
  if (status == 101) return switch_protocols(head_end);
  if (status < 200) return forward_interim(head_end);
  forward_head(head_end);
}

void Exchange::forward_interim(size_t head_end) {
  if (++interims_ > kMostInterims) return fail(502);
  response_begin_ = head_end;
  const RequestRecord& record = client_.record();
  // HTTP/1.0 knows no interim answers, and "go on" is for those who asked.
  if (record.http_1_0 || (response_->response.status == 100 && !record.expect_continue)) {
    response_->response.clear();
    return parse_response();
  }
  TextWriter text(client_.core().scratch());
  write_response_head(response_->response, {}, text);
  if (text.full() || text.text().size() > head_end) return fail(502);
  // The next head may follow in the buffer, so this one is written to where it ended.
  const size_t begin = head_end - text.text().size();
  std::memcpy(response_->bytes + begin, text.text().data(), text.text().size());
  response_->response.clear();
  client_sending_ = true;
  client_.channel().send(response_, {response_->bytes + begin, text.text().size()},
                         runtime::complete<&Exchange::on_interim_sent>(this));
}

void Exchange::on_interim_sent(int result) {
  client_sending_ = false;
  if (result < 0) {
    cancel();
    return client_.finished(AfterReply::kAbort);
  }
  client_.record().bytes_sent += static_cast<uint64_t>(result);
  parse_response();
}

void Exchange::forward_head(size_t head_end) {
  Core& core = client_.core();
  RequestRecord& record = client_.record();
  const http::ResponseHead& head = response_->response;
  const http::BodyFraming framing = http::response_framing(head, record.method);
  response_reader_ = http::BodyReader(framing);
  const bool open_ended = framing.kind == http::BodyKind::kChunked || framing.kind == http::BodyKind::kUntilClose;
  response_output_ = open_ended && !record.http_1_0 ? OutputFraming::kChunked : OutputFraming::kPlain;
  // The client's connection can go on if the client wants it, knows where this answer ends, and has sent all of its
  // request.
  keep_client_ = record.keep_alive && request_complete_ && !core.draining() && !(open_ended && record.http_1_0);
  TextWriter text(core.scratch());
  write_response_head(head,
                      {.date_line = core.date_line(),
                       .chunked = response_output_ == OutputFraming::kChunked,
                       .close = !keep_client_,
                       .keep_alive_1_0 = keep_client_ && record.http_1_0},
                      text);
  const bool upstream_keeps = head.keep_alive && framing.kind != http::BodyKind::kUntilClose;
  BodyBlock block = reframe(response_reader_, *response_.get(), head_end, response_end_, response_output_);
  if (block.state == BlockState::kRefused || text.full() || text.text().size() > block.begin) return fail(502);
  const size_t begin = block.begin - text.text().size();
  std::memcpy(response_->bytes + begin, text.text().data(), text.text().size());
  record.status = head.status;
  stage_ = Stage::kAnswering;
  upstream_keeps_ = upstream_keeps;
  if (block.state == BlockState::kComplete) answer_complete(block.next == response_end_);
  send_to_client({response_->bytes + begin, block.end - begin});
}

void Exchange::switch_protocols(size_t head_end) {
  RequestRecord& record = client_.record();
  const http::ResponseHead& head = response_->response;
  if (!record.upgrade || head.upgrade.empty() || !request_complete_ || request_sending_) return fail(502);
  TextWriter text(client_.core().scratch());
  write_response_head(head, {}, text);
  if (text.full() || text.text().size() > head_end) return fail(502);
  const size_t begin = head_end - text.text().size();
  std::memcpy(response_->bytes + begin, text.text().data(), text.text().size());
  record.status = 101;
  stage_ = Stage::kNone;
  client_.channel().ignore_readable();
  client_.start_tunnel(*std::exchange(upstream_, nullptr), std::move(response_),
                       {response_->bytes + begin, response_end_ - begin});
}

void Exchange::forward_body(size_t begin, size_t end) {
  BodyBlock block = reframe(response_reader_, *response_.get(), begin, end, response_output_);
  if (block.state == BlockState::kRefused) {
    cancel();
    return client_.finished(AfterReply::kAbort);
  }
  if (block.state == BlockState::kComplete) answer_complete(block.next == end);
  if (block.begin == block.end) return on_client_sent(0);
  send_to_client({response_->bytes + block.begin, block.end - block.begin});
}

// All of the answer is here: the upstream's part is over, although the client may still be receiving.
void Exchange::answer_complete(bool nothing_behind) {
  response_complete_ = true;
  if (upstream_ == nullptr) return;
  // An answer to a request that is still being sent: the rest of it interests nobody.
  if (!request_complete_) client_.channel().ignore_readable();
  Endpoint& endpoint = upstream_->endpoint();
  endpoint.end_request();
  Upstream* upstream = std::exchange(upstream_, nullptr);
  if (nothing_behind && upstream_keeps_ && request_complete_ && !request_sending_ && !request_failed_) {
    upstream->release();
  } else {
    upstream->discard();
  }
}

void Exchange::send_to_client(std::string_view bytes) {
  client_sending_ = true;
  client_.timer().start(client_.core().limits().body);
  client_.channel().send(response_, bytes, runtime::complete<&Exchange::on_client_sent>(this));
}

void Exchange::on_client_sent(int result) {
  client_sending_ = false;
  if (result < 0 || (overdue() && !response_complete_)) {
    cancel();
    return client_.finished(AfterReply::kAbort);
  }
  client_.record().bytes_sent += static_cast<uint64_t>(result);
  if (response_complete_) return finish();
  response_begin_ = response_end_ = Buffer::kBegin;
  client_.timer().start(client_.core().limits().upstream_stream);
  // After a full buffer there is most likely more; else a slow upstream should not keep a buffer waiting.
  if (more_expected_) return receive_response();
  response_.reset();
  await_response();
}

bool Exchange::overdue() const {
  return client_.core().loop().now() - client_.record().began >= client_.core().limits().request;
}

void Exchange::finish() {
  const bool request_complete = request_complete_;
  cancel();
  if (keep_client_ && request_complete) return client_.finished(AfterReply::kKeep);
  client_.finished(AfterReply::kLinger);
}

}  // namespace freehold::gateway
