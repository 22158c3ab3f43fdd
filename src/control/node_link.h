// NodeLink: control's end of the link to the agent. It listens on control.sock, lets in only root or our own user, and
// speaks link/control_link.h. One agent at a time: a newer connection replaces the one before it.
#pragma once

#include <memory>

#include "control/ports.h"
#include "link/control_link.h"
#include "net/channel.h"
#include "runtime/stream.h"

namespace freehold::control {

class Controller;

class NodeLink : public NodePort {
 public:
  static Result<std::unique_ptr<NodeLink>> open(runtime::Loop& loop, const std::string& socket_path);
  ~NodeLink() override;

  // Before this, connections wait.
  void serve(Controller& controller);

  void want(const model::NodeDesired& desired) override;
  void finish() override;

 private:
  NodeLink(runtime::Loop& loop, os::Fd socket);
  void on_connection(int result);
  void on_message(const net::MessageChannel::Message& message);
  void on_closed(const Error& error);
  Result<void> handle(const link::Message& message);
  void send(std::string bytes);

  runtime::Loop& loop_;
  os::Fd socket_;
  std::unique_ptr<runtime::Acceptor> acceptor_;
  std::unique_ptr<net::MessageChannel> channel_;
  Controller* controller_ = nullptr;
  bool greeted_ = false;
};

}  // namespace freehold::control
