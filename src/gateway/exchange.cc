#include "gateway/exchange.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "gateway/client_connection.h"
#include "gateway/core.h"
#include "gateway/forward_head.h"

namespace freehold::gateway {
namespace {

// May be done twice to the same effect as once (RFC 9110, section 9.2.2).
bool is_idempotent(http::Method method) {
  using enum http::Method;
  return method == kGet || method == kHead || method == kOptions || method == kPut || method == kDelete;
}

// Whether a kept connection has ended, or was sent something that nobody asked for.
bool is_stale(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

}  // namespace

void Exchange::start(ServicePool& pool, model::Balance balance, size_t head_end) {
  pool_ = &pool;
  balance_ = balance;
  last_failed_ = nullptr;
  attempts_ = 0;
  replayable_ = true;
  fresh_only_ = false;
  interims_ = 0;
  request_complete_ = request_sending_ = request_failed_ = response_complete_ = client_sending_ = more_expected_ =
      keep_client_ = false;
  queue_deadline_ = {};
  response_begin_ = response_end_ = Buffer::kBegin;
  if (!prepare(head_end)) return;
  if (request_complete_) watch_client();
  attempt();
}

bool Exchange::prepare(size_t head_end) {
  Buffer& buffer = *client_.buffer().get();
  const http::RequestHead& head = buffer.request;
  idempotent_ = is_idempotent(head.method_id);
  http::BodyFraming framing = http::request_framing(head);
  request_reader_ = http::BodyReader(framing);
  request_output_ = framing.kind == http::BodyKind::kChunked ? OutputFraming::kChunked : OutputFraming::kPlain;
  if (framing.kind == http::BodyKind::kLength && framing.length > client_.core().limits().body_bytes) {
    fail(413);
    return false;
  }
  TextWriter text(client_.core().scratch());
  write_request_head(head,
                     {.client = client_.address(),
                      .client_is_v6 = client_.is_v6(),
                      .request_id = client_.record().id_text(),
                      .host_fallback = pool_->name(),
                      .chunked = request_output_ == OutputFraming::kChunked},
                     text);
  BodyBlock block = reframe(request_reader_, buffer, head_end, client_.received_end(), request_output_);
  if (block.state == BlockState::kRefused || text.full() || text.text().size() > block.begin) {
    fail(block.state == BlockState::kRefused ? 400 : 431);
    return false;
  }
  if (!body_allowed(block.data)) {
    fail(413);
    return false;
  }
  request_complete_ = block.state == BlockState::kComplete;
  request_begin_ = block.begin - text.text().size();
  request_end_ = block.end;
  std::memcpy(buffer.bytes + request_begin_, text.text().data(), text.text().size());
  client_.set_next(block.next);
  return true;
}

void Exchange::attempt() {
  Endpoint* endpoint = pool_->pick(balance_);
  // Not the one that just failed, if there is another.
  if (endpoint != nullptr && endpoint == last_failed_) endpoint = pool_->pick(balance_);
  if (endpoint == nullptr) return queue();
  if (!fresh_only_) upstream_ = endpoint->take_idle();
  // What may not be sent twice must not be sent to a connection that is known to have ended. Nor what is still coming
  // in, since it can be sent once only.
  const bool once = !idempotent_ || !request_complete_;
  while (upstream_ != nullptr && once && is_stale(upstream_->channel().fd())) {
    upstream_->discard();
    upstream_ = endpoint->take_idle();
  }
  endpoint->begin_request();
  if (client_.core().access_log() != nullptr) client_.record().instance = endpoint->instance();
  if (upstream_ != nullptr) {
    upstream_->set_user(*this);
    return send_request();
  }
  Core& core = client_.core();
  upstream_ = Upstream::open(*endpoint, *this, core.channels());
  if (upstream_ == nullptr) {
    endpoint->end_request();
    return fail(503);
  }
  core.counters().upstream_connects.add();
  stage_ = Stage::kConnecting;
  client_.timer().start(core.limits().upstream_connect);
  upstream_->channel().connect(endpoint->address().get(), endpoint->address().length,
                               runtime::complete<&Exchange::on_connected>(this));
}

void Exchange::queue() {
  const Core& core = client_.core();
  MonotonicTime now = client_.core().loop().now();
  if (queue_deadline_ == MonotonicTime{}) queue_deadline_ = now + core.limits().queue_deadline;
  if (now >= queue_deadline_ || !pool_->enqueue(*this)) return fail(503);
  stage_ = Stage::kQueued;
  client_.timer().start_at(queue_deadline_);
}

void Exchange::on_endpoint_available() { attempt(); }

void Exchange::on_connected(int result) {
  if (result < 0) return upstream_failed(Failure::kConnect, 502);
  send_request();
}

void Exchange::send_request() {
  stage_ = Stage::kAwaiting;
  ++attempts_;
  interims_ = 0;
  request_sending_ = true;
  Channel& channel = upstream_->channel();
  channel.send(client_.buffer(), {client_.buffer()->bytes + request_begin_, request_end_ - request_begin_},
               runtime::complete<&Exchange::on_request_sent>(this));
  await_response();
  const Limits& limits = client_.core().limits();
  client_.timer().start(request_complete_ ? limits.upstream_response : limits.body);
}

void Exchange::on_cut() {
  if (stage_ == Stage::kAnswering) {
    drop_upstream();
    return client_.finished(AfterReply::kAbort);
  }
  upstream_failed(stage_ == Stage::kConnecting ? Failure::kConnect : Failure::kBeforeAnswer, 502);
}

void Exchange::upstream_failed(Failure failure, uint16_t status) {
  Core& core = client_.core();
  core.counters().upstream_failures.add();
  Endpoint& endpoint = upstream_->endpoint();
  bool reused = upstream_->reused();
  last_failed_ = &endpoint;
  if (failure == Failure::kConnect) endpoint.pause(core.loop().now() + core.limits().endpoint_pause);
  drop_upstream();
  // A kept connection may just have been closed by an upstream that is well: the next one is fresh.
  if (reused) fresh_only_ = true;
  bool nothing_sent = failure == Failure::kConnect;
  bool unanswered = response_end_ == Buffer::kBegin && interims_ == 0;
  bool may_repeat = replayable_ && (nothing_sent || idempotent_) && unanswered;
  if (!may_repeat || attempts_ >= core.limits().attempts) return fail(status);
  response_.reset();
  // Instances that are reached by nobody take a while each to say so; there may always be another one to try.
  const MonotonicTime now = core.loop().now();
  if (queue_deadline_ == MonotonicTime{}) queue_deadline_ = now + core.limits().queue_deadline;
  if (nothing_sent && now >= queue_deadline_) return fail(status);
  ++client_.record().retries;
  core.counters().retries.add();
  // The body that was not yet received is still to come; its receiving may be under way and must not be started twice.
  if (!request_complete_) client_.channel().ignore_readable();
  attempt();
}

void Exchange::drop_upstream() {
  if (upstream_ == nullptr) return;
  upstream_->endpoint().end_request();
  std::exchange(upstream_, nullptr)->discard();
}

void Exchange::fail(uint16_t status) {
  const bool midway = client_sending_;
  const std::string why = failure_text(status);
  // Its connection can go on, unless the kernel may still be reading from the buffer that the next request lies in.
  if (request_complete_ && !request_sending_) client_.request_received();
  cancel();
  midway ? client_.finished(AfterReply::kAbort) : client_.reply(status, why);
}

std::string Exchange::failure_text(uint16_t status) const {
  // A service's name is known to whoever runs it; the address of an outside upstream is nobody's business. Names of
  // services hold no colon.
  const std::string& name = pool_->name();
  const std::string who = name.find(':') == std::string::npos ? fmt::format("The service '{}'", name)
                                                              : std::string("The server behind this address");
  switch (status) {
    case 502:
      return who + " ended the connection before it had answered, or its answer is not valid HTTP.";
    case 503:
      return who + " is not available right now. Please try again in a moment.";
    case 504:
      return who + " did not answer in time.";
    default:
      return {};
  }
}

void Exchange::cancel() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->dequeue(*this);
  drop_upstream();
  client_.channel().ignore_readable();
  response_.reset();
  stage_ = Stage::kNone;
}

void Exchange::on_timeout() {
  switch (stage_) {
    case Stage::kQueued:
      return fail(503);
    case Stage::kConnecting:
      return upstream_failed(Failure::kConnect, 504);
    case Stage::kAwaiting:
      // Who kept us waiting: the client with its body, or the upstream with its answer?
      return fail(request_complete_ || request_sending_ ? 504 : 408);
    default:
      cancel();
      return client_.finished(AfterReply::kAbort);
  }
}

}  // namespace freehold::gateway
