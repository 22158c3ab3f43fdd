// AgentLink: the gateway's end of the link to its agent (model/gateway_link.h): dials, says hello, passes on what it is
// sent.
//
// While the agent is away it dials again with back-off, and the gateway goes on with what it has. Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/gateway_link.h"
#include "net/channel.h"
#include "runtime/timer.h"

namespace freehold::gateway {

struct HeldListener {
  model::GatewayListener what;
  os::Fd fd;
};

class AgentLink {
 public:
  struct Handlers {
    // What hello says, with all listeners; the descriptors stay with the caller.
    std::function<model::GatewayHello(std::vector<int>& fds)> hello;
    std::function<void(std::vector<HeldListener>)> listeners;  // all of them
    std::function<void(model::GatewaySnapshot)> snapshot;
  };
  AgentLink(runtime::Loop& loop, std::string socket_path, Handlers handlers);
  AgentLink(const AgentLink&) = delete;
  AgentLink& operator=(const AgentLink&) = delete;
  ~AgentLink();

  void start() { dial(0); }
  // Dropped while the agent is away: hello and the next snapshot bring it up to date.
  void send(const model::GatewayStatus& status);

 private:
  void dial(int result);
  Result<void> send_hello();
  void received(net::MessageChannel::Message message);
  void received_listeners(const codec::Json& json, std::vector<os::Fd> fds);
  void dial_later(const Error& why);

  runtime::Loop& loop_;
  std::string path_;
  Handlers handlers_;
  std::unique_ptr<net::MessageChannel> channel_;
  std::vector<HeldListener> parts_;  // of a list that is not complete
  runtime::Timer again_;
  Duration back_off_;
  bool said_ = false;  // that the agent is away
};

}  // namespace freehold::gateway
