#include "gateway/upstream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace freehold::gateway {

Upstream* Upstream::open(Endpoint& endpoint, UpstreamUser& user, size_t& alive) {
  os::Fd socket(::socket(endpoint.address().get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return nullptr;
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ServicePool& pool = *endpoint.pool_;
  auto* upstream = new Upstream(endpoint, *Channel::create(pool.host().loop(), std::move(socket), alive));
  upstream->user_ = &user;
  endpoint.busy_.push_back(*upstream);
  return upstream;
}

void Upstream::release() {
  ServicePool* pool = endpoint_.pool_;
  if (pool == nullptr || !endpoint_.accepting_ || endpoint_.idle_count_ >= pool->host().limits().upstream_idle_each) {
    return discard();
  }
  user_ = nullptr;
  reused_ = true;
  idle_ = true;
  idle_since_ = pool->host().loop().now();
  endpoint_.idle_.push_front(*this);
  ++endpoint_.idle_count_;
  pool->host().on_upstream_idle();
  // Whatever comes without a request, an end above all, means that it can't be used again.
  channel_->wait_readable(runtime::complete<&Upstream::on_idle_input>(this));
}

void Upstream::discard() {
  if (idle_) --endpoint_.idle_count_;
  unlink();
  channel_->release();
  Endpoint& endpoint = endpoint_;
  delete this;
  endpoint.free_if_unused();
}

void Upstream::on_idle_input(int /*result*/) { discard(); }

}  // namespace freehold::gateway
