// FakeAgent: the other end of the gateway's link, for tests and the bench: gives out listeners and snapshots, keeps
// what it hears.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/agent_link.h"
#include "runtime/stream.h"

namespace freehold::gateway {

class FakeAgent {
 public:
  // Listens at `path` on a thread of its own.
  explicit FakeAgent(const std::string& path);
  ~FakeAgent();

  // What every gateway that dials is told; told at once to one that is connected. Descriptors stay the caller's.
  void set(std::vector<std::pair<model::GatewayListener, int>> listeners, model::GatewaySnapshot snapshot);
  // The last status, once one satisfies `condition`; nothing after ten seconds.
  std::optional<model::GatewayStatus> wait_for(const std::function<bool(const model::GatewayStatus&)>& condition);
  std::optional<model::GatewayHello> hello();
  size_t hello_descriptors();

 private:
  void accepted(int result);
  void received(net::MessageChannel::Message message);
  void tell();

  std::unique_ptr<runtime::Loop> loop_;
  os::Fd socket_;
  std::unique_ptr<runtime::Acceptor> acceptor_;
  std::unique_ptr<net::MessageChannel> channel_;
  std::vector<std::pair<model::GatewayListener, int>> listeners_;
  model::GatewaySnapshot snapshot_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<model::GatewayListener> hello_parts_;
  std::optional<model::GatewayHello> hello_;
  size_t hello_descriptors_ = 0;
  std::optional<model::GatewayStatus> status_;
  std::thread thread_;
};

}  // namespace freehold::gateway
