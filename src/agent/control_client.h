// ControlClient: the agent's end of its link to control. Dials, and dials again with back-off for as long as it takes;
// the agent works on meanwhile.
#pragma once

#include <functional>
#include <memory>

#include "agent/journal.h"
#include "link/control_link.h"
#include "model/instance.h"
#include "net/channel.h"
#include "runtime/timer.h"

namespace freehold::agent {

class ControlClient {
 public:
  struct Handlers {
    std::function<void(model::NodeDesired)> desired;
    std::function<void()> finish;
    std::function<model::NodeObserved()> observed;  // what is so now
  };
  ControlClient(runtime::Loop& loop, Journal& journal, std::string socket_path, std::string boot_id, Handlers handlers);
  ~ControlClient();

  // Something changed, or there are new events: told at the next turn of the loop, once for all changes of this one.
  void tell();
  bool connected() const { return channel_ != nullptr; }
  // Who control is, since when it is connected.
  std::optional<model::DaemonStatus> peer() const { return connected() ? peer_ : std::nullopt; }

 private:
  void dial(int);
  void retry();
  void on_message(const net::MessageChannel::Message& message);
  Result<void> handle(const link::Message& message);
  void tell_now(int);
  void send_events();
  void send(std::string bytes);

  runtime::Loop& loop_;
  Journal& journal_;
  std::string socket_path_;
  std::string boot_id_;
  Handlers handlers_;
  std::unique_ptr<net::MessageChannel> channel_;
  std::optional<model::DaemonStatus> peer_;
  runtime::Timer dial_timer_;
  runtime::Timer tell_timer_;
  Duration wait_;
  uint64_t events_sent_ = 0;  // sequence up to which this connection was told
};

}  // namespace freehold::agent
