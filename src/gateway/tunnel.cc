#include "gateway/tunnel.h"

namespace freehold::gateway {

Tunnel::Tunnel(TunnelUser& user, BufferPool& buffers, const Limits& limits, Channel& client, Upstream& upstream)
    : user_(user),
      buffers_(buffers),
      limits_(limits),
      upstream_(upstream),
      idle_(upstream.endpoint().loop(), runtime::complete<&Tunnel::on_idle>(this)),
      up_{*this, client, upstream.channel(), {}},
      down_{*this, upstream.channel(), client, {}} {
  upstream.set_user(*this);
}

Tunnel::~Tunnel() {
  upstream_.endpoint().end_request();
  upstream_.discard();
}

void Tunnel::start(BufferRef to_client, std::string_view client_bytes, BufferRef to_upstream,
                   std::string_view upstream_bytes) {
  moved();
  down_.buffer = std::move(to_client);
  up_.buffer = std::move(to_upstream);
  client_bytes.empty() ? down_.wait() : down_.send(client_bytes);
  upstream_bytes.empty() ? up_.wait() : up_.send(upstream_bytes);
}

void Tunnel::moved() { idle_.start(limits_.tunnel_idle); }

void Tunnel::Direction::wait() {
  buffer.reset();
  from.wait_readable(runtime::complete<&Direction::on_readable>(this));
}

void Tunnel::Direction::on_readable(int result) {
  if (result < 0) return tunnel.done();
  buffer = tunnel.buffers_.take();
  if (!buffer) return tunnel.done();
  from.receive(buffer, buffer->space(Buffer::kBegin), runtime::complete<&Direction::on_received>(this));
}

void Tunnel::Direction::on_received(int result) {
  if (result < 0) return tunnel.done();
  if (result == 0) {
    ended = true;
    buffer.reset();
    to.shutdown_send();
    return tunnel.direction_ended();
  }
  send({buffer->bytes + Buffer::kBegin, static_cast<size_t>(result)});
}

void Tunnel::Direction::send(std::string_view text) {
  tunnel.moved();
  bytes += text.size();
  to.send(buffer, text, runtime::complete<&Direction::on_sent>(this));
}

void Tunnel::Direction::on_sent(int result) {
  if (result < 0) return tunnel.done();
  wait();
}

void Tunnel::direction_ended() {
  if (up_.ended && down_.ended) done();
}

void Tunnel::done() { user_.on_tunnel_done(up_.bytes, down_.bytes); }

void Tunnel::on_cut() { done(); }

void Tunnel::on_idle(int /*result*/) { done(); }

}  // namespace freehold::gateway
