#include "gateway/client_connection.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "gateway/core.h"
#include "gateway/local_reply.h"

namespace freehold::gateway {
namespace {

// The peer as text; IPv4 that came in over an IPv6 socket as what it is.
std::string address_text(int fd, bool& is_v6) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  std::array<char, INET6_ADDRSTRLEN> text{};
  is_v6 = false;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return "unknown";
  if (peer.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&peer)->sin_addr, text.data(), text.size());
  } else if (peer.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_addr;
    is_v6 = !IN6_IS_ADDR_V4MAPPED(&address);
    if (is_v6) {
      ::inet_ntop(AF_INET6, &address, text.data(), text.size());
    } else {
      ::inet_ntop(AF_INET, &address.s6_addr[12], text.data(), text.size());
    }
  }
  return text.data();
}

}  // namespace

void ClientConnection::start(Core& core, os::Fd socket, std::string service) {
  auto* client = new ClientConnection(core, std::move(socket), std::move(service));
  client->become_idle();
}

ClientConnection::ClientConnection(Core& core, os::Fd socket, std::string service)
    : core_(core),
      channel_(Channel::create(core.loop(), std::move(socket), core.channels())),
      timer_(core.loop(), runtime::complete<&ClientConnection::on_timer>(this)),
      service_(std::move(service)),
      exchange_(*this) {
  address_ = address_text(channel_->fd(), v6_);
  core_.joined(*this);
}

ClientConnection::~ClientConnection() {
  if (tunnel_) core_.counters().tunnels.subtract();
  core_.left(*this);
}

void ClientConnection::close() { end(&Channel::release); }

void ClientConnection::end(void (Channel::*how)(os::Fd file)) {
  end_record();
  exchange_.cancel();
  // The kernel may still be reading from the file.
  (channel_->*how)(file_ ? file_->take_file() : os::Fd());
  delete this;
}

void ClientConnection::become_idle() {
  if (core_.draining()) return close();
  phase_ = Phase::kIdle;
  buffer_.reset();
  begin_ = end_ = Buffer::kBegin;
  core_.idle_clients().push_back(*this);
  timer_.start(core_.limits().idle);
  channel_->wait_readable(runtime::complete<&ClientConnection::on_readable>(this));
}

void ClientConnection::on_readable(int result) {
  if (result < 0) return close();
  core_.busy_clients().push_back(*this);
  phase_ = Phase::kHead;
  buffer_ = core_.buffers().take();
  if (!buffer_) {
    core_.counters().shed.add();
    channel_->send({}, shed_reply(), {});
    return close();
  }
  buffer_->request.clear();
  receive_head();
}

void ClientConnection::receive_head() {
  // An exchange before this request may have left a wait of its own under way.
  if (channel_->waiting()) return channel_->wait_readable(runtime::complete<&ClientConnection::on_head_readable>(this));
  channel_->receive(buffer_, buffer_->space(end_), runtime::complete<&ClientConnection::on_head_received>(this));
}

void ClientConnection::on_head_readable(int result) {
  if (result < 0) return close();
  receive_head();
}

void ClientConnection::on_head_received(int result) {
  if (result <= 0) return close();
  end_ += static_cast<size_t>(result);
  parse_head();
}

void ClientConnection::parse_head() {
  const Limits& limits = core_.limits();
  const http::HeadLimits head_limits{.bytes = static_cast<uint32_t>(limits.head_bytes),
                                     .headers = static_cast<uint32_t>(limits.headers)};
  const http::HeadResult head =
      http::parse_request_head({buffer_->bytes + begin_, end_ - begin_}, head_limits, buffer_->request);
  switch (head.state) {
    case http::HeadState::kComplete:
      begin_record(buffer_->request);
      return dispatch(begin_ + head.consumed);
    case http::HeadState::kRefused:
      begin_refused_record();
      return reply(head.status, fmt::format("The request was refused: {}.", head.reason));
    case http::HeadState::kIncomplete:
      break;
  }
  if (Buffer::kEnd - end_ < limits.head_bytes - (end_ - begin_)) {
    // A pipelined request that began far behind: the parser allows its bytes to move.
    std::memmove(buffer_->bytes + Buffer::kBegin, buffer_->bytes + begin_, end_ - begin_);
    end_ -= begin_ - Buffer::kBegin;
    begin_ = Buffer::kBegin;
  }
  // Counted from the first byte: a client that sends slowly does not get more time with each byte.
  if (!head_timed_) timer_.start(limits.head);
  head_timed_ = true;
  receive_head();
}

void ClientConnection::reply(uint16_t status, std::string_view why) { send_reply(status, {}, why); }

void ClientConnection::send_reply(uint16_t status, std::string_view lines, std::string_view why) {
  phase_ = Phase::kReply;
  BufferRef out = core_.buffers().take();
  if (!out) {
    core_.counters().shed.add();
    return finished(AfterReply::kAbort);
  }
  const bool keep = request_whole_ && record_.keep_alive && !core_.draining();
  TextWriter text(out->space(Buffer::kBegin));
  write_page(
      {.status = status,
       .form = page_form_,
       .why = why,
       .request_id = record_.id_text(),
       .head_only = record_.method == http::Method::kHead},
      {.date_line = core_.date_line(), .lines = lines, .close = !keep, .keep_alive_1_0 = keep && record_.http_1_0},
      text);
  record_.status = status;
  reply_keeps_ = keep;
  timer_.start(core_.limits().body);
  channel_->send(out, text.text(), runtime::complete<&ClientConnection::on_reply_sent>(this));
}

void ClientConnection::on_reply_sent(int result) {
  if (result < 0) return finished(AfterReply::kAbort);
  record_.bytes_sent += static_cast<uint64_t>(result);
  finished(reply_keeps_ ? AfterReply::kKeep : AfterReply::kLinger);
}

void ClientConnection::finished(AfterReply after) {
  if (after == AfterReply::kAbort) return end(&Channel::abort);
  end_record();
  file_.reset();
  after == AfterReply::kKeep ? next_request() : linger();
}

void ClientConnection::next_request() {
  head_timed_ = false;
  if (begin_ == end_) return become_idle();
  if (core_.draining()) return close();
  // Pipelined: the next request is here already, or its first bytes are.
  phase_ = Phase::kHead;
  buffer_->request.clear();
  parse_head();
}

void ClientConnection::linger() {
  // Closing with bytes unread would reset the connection, and the reset may overtake the answer on its way.
  channel_->shutdown_send();
  if (channel_->receiving()) return close();
  phase_ = Phase::kLinger;
  timer_.start(core_.limits().linger);
  channel_->wait_readable(runtime::complete<&ClientConnection::on_linger_readable>(this));
}

void ClientConnection::on_linger_readable(int result) {
  if (result < 0) return close();
  if (!buffer_) buffer_ = core_.buffers().take();
  if (!buffer_) return close();
  channel_->receive(buffer_, buffer_->space(Buffer::kBegin),
                    runtime::complete<&ClientConnection::on_linger_received>(this));
}

void ClientConnection::on_linger_received(int result) {
  if (result <= 0) return close();
  channel_->wait_readable(runtime::complete<&ClientConnection::on_linger_readable>(this));
}

void ClientConnection::on_timer(int /*result*/) {
  switch (phase_) {
    case Phase::kIdle:
    case Phase::kLinger:
      return close();
    case Phase::kHead:
      // Nothing is under way but a receive, which an answer does not disturb.
      begin_refused_record();
      return reply(408);
    case Phase::kExchange:
      return exchange_.on_timeout();
    case Phase::kReply:
    case Phase::kFile:
      return finished(AfterReply::kAbort);
    case Phase::kTunnel:
      return;
  }
}

void ClientConnection::start_tunnel(Upstream& upstream, BufferRef first, std::string_view first_bytes) {
  phase_ = Phase::kTunnel;
  timer_.cancel();
  core_.counters().tunnels.add();
  tunnel_ = std::make_unique<Tunnel>(*this, core_.buffers(), core_.limits(), *channel_, upstream);
  const std::string_view early(buffer_->bytes + begin_, end_ - begin_);
  BufferRef early_buffer = std::move(buffer_);
  if (early.empty()) early_buffer.reset();
  tunnel_->start(std::move(first), first_bytes, std::move(early_buffer), early);
}

void ClientConnection::on_tunnel_done(uint64_t from_client, uint64_t from_upstream) {
  record_.bytes_received = from_client;
  record_.bytes_sent = from_upstream;
  end_record();
  close();
}

}  // namespace freehold::gateway
