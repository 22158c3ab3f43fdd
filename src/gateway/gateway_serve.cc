// Runs the gateway alone, for measuring: an agent of its own in the same process, one route to one upstream.
//
//   gateway_serve PORT UPSTREAM_PORT [CORES] [ACCESS_LOG]
//
// FREEHOLD_IO=uring selects the engine. Ends at SIGTERM.
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/log.h"
#include "gateway/fake_agent.h"
#include "gateway/gateway.h"
#include "net/listen.h"

using namespace freehold;

namespace {

// 0 for what is no number from 1 to 65535.
uint16_t number(std::string_view text) {
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

int main(int count, char** arguments) {
  const uint16_t port = count > 1 ? number(arguments[1]) : 0;
  const uint16_t upstream = count > 2 ? number(arguments[2]) : 0;
  const uint16_t cores = count > 3 ? number(arguments[3]) : 1;
  if (port == 0 || upstream == 0 || cores == 0) {
    log_error("bench", "usage: gateway_serve PORT UPSTREAM_PORT [CORES] [ACCESS_LOG]");
    return 2;
  }
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
  snapshot.routing.gateway.cores = cores;
  snapshot.routing.routes.push_back({"", {{.pattern = "/", .prefix = true, .service = "web"}}});
  snapshot.endpoints["web"] = {{"web.1", upstream}};
  agent.set({{{"127.0.0.1", port, ""}, listener->get()}}, snapshot);
  auto ran = gateway::run_gateway({.agent_socket = path + "/agent.sock",
                                   .access_log = count > 4 ? arguments[4] : "",
                                   .drain = std::chrono::seconds(1)});
  ::unlink((path + "/agent.sock").c_str());
  ::rmdir(path.c_str());
  return ran ? 0 : 1;
}
