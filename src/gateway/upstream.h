// Upstream: one connection to an endpoint: fresh, carrying a request, or kept for the next one.
//
// Threads: the core's own. The user (an exchange, a relay) holds it from open() or Endpoint::take_idle() until
// release() or discard(), and is told by `cut` when the endpoint left the snapshot.
#pragma once

#include "gateway/channel.h"
#include "gateway/endpoint.h"

namespace freehold::gateway {

class UpstreamUser {
 public:
  // The endpoint is gone: what runs on this connection ends now. The user discards it.
  virtual void on_cut() = 0;

 protected:
  ~UpstreamUser() = default;
};

class Upstream : public ListNode<Upstream> {
 public:
  // A connection to be made: the user calls channel().connect. Null if there is no descriptor left.
  static Upstream* open(Endpoint& endpoint, UpstreamUser& user, size_t& alive);

  Channel& channel() { return *channel_; }
  Endpoint& endpoint() { return endpoint_; }
  bool reused() const { return reused_; }
  void set_user(UpstreamUser& user) { user_ = &user; }

  // The request is over and the connection can carry another.
  void release();
  // The connection is of no further use. The pointer is invalid afterwards.
  void discard();

 private:
  friend class Endpoint;
  friend class ServicePool;
  Upstream(Endpoint& endpoint, Channel& channel) : endpoint_(endpoint), channel_(&channel) {}
  ~Upstream() = default;
  void on_idle_input(int result);

  Endpoint& endpoint_;
  Channel* channel_;
  UpstreamUser* user_ = nullptr;
  bool reused_ = false;
  bool idle_ = false;
  MonotonicTime idle_since_{};
};

}  // namespace freehold::gateway
