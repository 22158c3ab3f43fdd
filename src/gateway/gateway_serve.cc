// Runs the gateway alone, for measuring: an agent of its own in the same process, one route to one upstream.
//
//   gateway_serve PORT UPSTREAM_PORT [CORES] [ACCESS_LOG]
//
// FREEHOLD_IO=uring selects the engine. Ends at SIGTERM.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "gateway/fake_agent.h"
#include "gateway/gateway.h"
#include "net/listen.h"

using namespace freehold;

int main(int count, char** arguments) {
  if (count < 3) {
    std::fputs("usage: gateway_serve PORT UPSTREAM_PORT [CORES] [ACCESS_LOG]\n", stderr);
    return 2;
  }
  const auto port = static_cast<uint16_t>(std::atoi(arguments[1]));
  auto listener = net::listen_tcp(net::SocketAddress::loopback(port));
  if (!listener) {
    log_error("bench", "{}", listener.error().message());
    return 1;
  }
  std::string path = "/tmp/freehold-bench-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return 1;
  gateway::FakeAgent agent(path + "/agent.sock");
  model::GatewaySnapshot snapshot;
  snapshot.revision = 1;
  snapshot.routing.gateway.cores = count > 3 ? static_cast<uint32_t>(std::atoi(arguments[3])) : 1;
  snapshot.routing.routes.push_back({"", {{.pattern = "/", .prefix = true, .service = "web"}}});
  snapshot.endpoints["web"] = {{"web.1", static_cast<uint16_t>(std::atoi(arguments[2]))}};
  agent.set({{{"127.0.0.1", port, ""}, listener->get()}}, snapshot);
  auto ran = gateway::run_gateway({.agent_socket = path + "/agent.sock",
                                   .access_log = count > 4 ? arguments[4] : "",
                                   .drain = std::chrono::seconds(1)});
  ::unlink((path + "/agent.sock").c_str());
  ::rmdir(path.c_str());
  return ran ? 0 : 1;
}
