// Relay: one connection to the internal address of a service that does not speak HTTP: bytes passed on to an instance.
//
// The instance is chosen per connection; if it can't be connected to, another one is, or it waits for one in the
// pool's queue. Destroys itself when it is over. Threads: the core's own.
#pragma once

#include <memory>

#include "gateway/tunnel.h"

namespace freehold::gateway {

class Core;

class Relay final : public ListNode<Relay>, private Waiter, private UpstreamUser, public TunnelUser {
 public:
  static void start(Core& core, os::Fd socket, ServicePool& pool);
  void close();

 private:
  Relay(Core& core, os::Fd socket, ServicePool& pool);
  ~Relay();
  void attempt();
  void on_endpoint_available() override;
  void on_connected(int result);
  void on_timer(int result);
  void on_cut() override;
  void on_tunnel_done(uint64_t from_client, uint64_t from_upstream) override;
  void connect_failed();

  Core& core_;
  Channel* channel_;
  ServicePool* pool_;
  Upstream* upstream_ = nullptr;
  MonotonicTime deadline_;
  runtime::Timer timer_;
  std::unique_ptr<Tunnel> tunnel_;
};

}  // namespace freehold::gateway
