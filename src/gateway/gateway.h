// The gateway process: every byte of user traffic, on one Core per thread; told what to do by the agent.
//
//   GatewayOptions options{.agent_socket = state + "/agent.sock"};
//   FH_TRY(run_gateway(options));   // until SIGTERM or SIGINT
//
// It dials the agent, is given listening sockets and snapshots, compiles each snapshot once and hands it to all cores;
// when all serve it, that is acknowledged. Without the agent it goes on with what it has. The number of cores is that
// of the first snapshot; a change of it applies at the next start.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/agent_link.h"
#include "gateway/core.h"
#include "os/service_manager.h"
#include "runtime/watchdog.h"

namespace freehold::gateway {

struct GatewayOptions {
  std::string agent_socket;
  std::string access_log;  // each core appends to a file of its own: STEM.0.log, STEM.1.log ...; empty: none
  Limits limits;
  runtime::Backend backend = runtime::Backend::kAutomatic;
  Duration drain = std::chrono::seconds(30);  // after stop(): for what is in flight
  os::ServiceManager manager;                 // is told when the first snapshot is served, and that all cores turn
};

class Gateway {
 public:
  static Result<std::unique_ptr<Gateway>> create(GatewayOptions options);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway();

  // Until stop() and the end of what was in flight.
  void run();
  // No new connections; ends run() when the last request has ended. Any thread.
  void stop();
  // stop() as soon as `signals` (a signalfd) becomes readable; before run().
  void stop_on(os::Fd signals);

 private:
  struct Thread;  // one core with its thread

  Gateway(GatewayOptions options, std::unique_ptr<runtime::Loop> loop);
  model::GatewayHello hello(std::vector<int>& fds);
  void on_listeners(std::vector<HeldListener> listeners);
  void on_snapshot(const model::GatewaySnapshot& snapshot);
  void start_cores(uint32_t count);
  void share_listeners();
  void core_reported(size_t index, uint64_t revision, std::map<std::string, uint64_t> draining);
  model::GatewayStatus status() const;
  void on_signal(int result);
  void begin_stop();
  void core_drained();

  GatewayOptions options_;
  std::unique_ptr<runtime::Loop> loop_;  // of the link; each core has its own
  std::vector<HeldListener> listeners_;
  std::vector<std::unique_ptr<Thread>> threads_;
  uint64_t revision_ = 0;      // given to the cores
  uint64_t acknowledged_ = 0;  // and served by all of them
  size_t cores_draining_ = 0;
  bool stopping_ = false;
  os::Fd signals_;
  std::unique_ptr<runtime::Watcher> signal_watcher_;
  std::unique_ptr<AgentLink> link_;
  runtime::Watchdog watchdog_;
};

// Runs a Gateway until the process is asked to end.
Result<void> run_gateway(GatewayOptions options);

}  // namespace freehold::gateway
