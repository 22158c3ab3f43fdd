// Tunnel: bytes passed between a client and an upstream, both ways, until both ways have ended.
//
// Each direction takes a buffer only while bytes are under way, so an idle tunnel costs its two sockets and this. An
// end in one direction is passed on and the other goes on. Threads: the core's own.
#pragma once

#include "gateway/upstream.h"

namespace freehold::gateway {

class TunnelUser {
 public:
  // Called once; destroys the tunnel.
  virtual void on_tunnel_done(uint64_t from_client, uint64_t from_upstream) = 0;

 protected:
  ~TunnelUser() = default;
};

class Tunnel final : private UpstreamUser {
 public:
  // The upstream's request is under way and is ended by the tunnel; the client's channel stays its owner's.
  Tunnel(TunnelUser& user, BufferPool& buffers, const Limits& limits, Channel& client, Upstream& upstream);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel();

  // Bytes that are here already are sent first.
  void start(BufferRef to_client, std::string_view client_bytes, BufferRef to_upstream,
             std::string_view upstream_bytes);

 private:
  struct Direction {
    Tunnel& tunnel;
    Channel& from;
    Channel& to;
    BufferRef buffer;
    uint64_t bytes = 0;
    bool ended = false;

    void wait();
    void send(std::string_view text);
    void on_readable(int result);
    void on_received(int result);
    void on_sent(int result);
  };
  void moved();
  void direction_ended();
  void done();
  void on_cut() override;
  void on_idle(int result);

  TunnelUser& user_;
  BufferPool& buffers_;
  const Limits& limits_;
  Upstream& upstream_;
  runtime::Timer idle_;
  Direction up_;    // client to upstream
  Direction down_;  // upstream to client
};

}  // namespace freehold::gateway
