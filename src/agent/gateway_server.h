// GatewayServer: the agent's end of the link to the gateway (model/gateway_link.h), and the owner of every socket that
// users connect to.
//
// The listening sockets are opened here and handed over, so that a gateway that dies loses no connection that was
// waiting. An agent that was restarted takes them back from the gateway that still holds them. A socket that cannot be
// opened is a problem for people, tried again soon and then every few seconds; the others work.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/gateway_link.h"
#include "net/channel.h"
#include "runtime/timer.h"

namespace freehold::agent {

class GatewayServer {
 public:
  struct Handlers {
    std::function<void(const model::GatewayStatus&)> acknowledged;
    std::function<void()> lost;
    std::function<const model::GatewaySnapshot&()> snapshot;
    std::function<void()> problems_changed;
    // Once: a gateway that held the sockets has given them back, or there is none. From now on it may be ended without
    // a connection being lost.
    std::function<void()> settled = nullptr;
  };
  struct Options {
    std::string socket_path;
    uint32_t allowed_uid = 0;  // besides root: whom the gateway runs as
    // How long to wait at the start for a gateway that holds the sockets already. Zero: there is none.
    Duration grace{};
  };
  static Result<std::unique_ptr<GatewayServer>> open(runtime::Loop& loop, Options options, Handlers handlers);
  ~GatewayServer();

  // The snapshot has changed: opens and closes listeners as it says, and sends it.
  void update();
  // Who the gateway is, since when it is connected.
  std::optional<model::DaemonStatus> peer() const { return connected() ? peer_ : std::nullopt; }
  bool connected() const { return channel_ != nullptr && greeted_; }
  std::vector<std::string> problems() const;
  // Those that concern the gateway's own addresses.
  std::vector<std::string> unreachable() const;

 private:
  using Key = std::pair<std::string, uint16_t>;  // address, port
  struct Listener {
    model::GatewayListener name;
    os::Fd socket;
  };

  GatewayServer(runtime::Loop& loop, os::Fd socket, Options options, Handlers handlers);
  void on_connection(int result);
  void on_message(net::MessageChannel::Message message);
  Result<void> handle_hello(net::MessageChannel::Message& message, const codec::Json& json);
  void on_grace_over(int);
  void settle();
  void on_retry(int);
  bool reconcile_listeners();  // true if the set of open sockets changed
  Result<void> send_listeners();
  void send_snapshot();
  void lose();

  runtime::Loop& loop_;
  os::Fd socket_;
  Options options_;
  Handlers handlers_;
  std::unique_ptr<runtime::Acceptor> acceptor_;
  std::unique_ptr<net::MessageChannel> channel_;
  bool greeted_ = false;
  std::optional<model::DaemonStatus> peer_;
  bool may_open_ = false;  // no living gateway can hold the sockets any more without having told us
  std::map<Key, Listener> listeners_;
  std::map<Key, std::string> problems_;
  runtime::Timer grace_;
  runtime::Timer retry_;
  Duration retry_after_;
};

}  // namespace freehold::agent
