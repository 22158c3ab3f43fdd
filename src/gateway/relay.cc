#include "gateway/relay.h"

#include "gateway/core.h"

namespace freehold::gateway {

void Relay::start(Core& core, os::Fd socket, ServicePool& pool) {
  (new Relay(core, std::move(socket), pool))->attempt();
}

Relay::Relay(Core& core, os::Fd socket, ServicePool& pool)
    : core_(core),
      channel_(Channel::create(core.loop(), std::move(socket), core.channels())),
      pool_(&pool),
      deadline_(core.loop().now() + core.limits().queue_deadline),
      timer_(core.loop(), runtime::complete<&Relay::on_timer>(this)) {
  core_.joined(*this);
}

Relay::~Relay() { core_.left(*this); }

void Relay::close() {
  pool_->dequeue(*this);
  if (upstream_ != nullptr) {
    upstream_->endpoint().end_request();
    upstream_->discard();
  }
  if (tunnel_) core_.counters().tunnels.subtract();
  channel_->release();
  delete this;
}

void Relay::attempt() {
  Endpoint* endpoint = pool_->pick(model::Balance::kLeastConnections);
  if (endpoint == nullptr) {
    if (core_.loop().now() >= deadline_ || !pool_->enqueue(*this)) return close();
    return timer_.start_at(deadline_);
  }
  // Kept connections are not used: what the other side still knows of them is not for this client.
  endpoint->begin_request();
  upstream_ = Upstream::open(*endpoint, *this, core_.channels());
  if (upstream_ == nullptr) {
    endpoint->end_request();
    return close();
  }
  core_.counters().upstream_connects.add();
  timer_.start(core_.limits().upstream_connect);
  upstream_->channel().connect(endpoint->address().get(), endpoint->address().length,
                               runtime::complete<&Relay::on_connected>(this));
}

void Relay::on_endpoint_available() { attempt(); }

void Relay::on_connected(int result) {
  if (result < 0) return connect_failed();
  timer_.cancel();
  core_.counters().tunnels.add();
  tunnel_ = std::make_unique<Tunnel>(*this, core_.buffers(), core_.limits(), *channel_, *upstream_);
  upstream_ = nullptr;
  tunnel_->start({}, {}, {}, {});
}

void Relay::connect_failed() {
  core_.counters().upstream_failures.add();
  Endpoint& endpoint = upstream_->endpoint();
  endpoint.pause(core_.loop().now() + core_.limits().endpoint_pause);
  endpoint.end_request();
  std::exchange(upstream_, nullptr)->discard();
  if (core_.loop().now() >= deadline_) return close();
  attempt();
}

void Relay::on_timer(int /*result*/) { upstream_ != nullptr ? connect_failed() : close(); }

void Relay::on_cut() { connect_failed(); }

void Relay::on_tunnel_done(uint64_t from_client, uint64_t from_upstream) {
  core_.counters().bytes_received.add(from_client);
  core_.counters().bytes_sent.add(from_upstream);
  close();
}

}  // namespace freehold::gateway
