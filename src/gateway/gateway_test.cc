// The process as the agent sees it: link, listeners, acknowledgements, restarts of either side.
#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "gateway/fake_agent.h"
#include "gateway/test_support.h"

namespace freehold::gateway::test {
namespace {

using namespace std::chrono_literals;
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class RunningGateway {
 public:
  explicit RunningGateway(GatewayOptions options) {
    auto gateway = Gateway::create(std::move(options));
    if (!gateway) std::abort();
    gateway_ = *std::move(gateway);
    thread_ = std::thread([this] { gateway_->run(); });
  }
  ~RunningGateway() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    gateway_->stop();
    thread_.join();
  }

 private:
  std::unique_ptr<Gateway> gateway_;
  std::thread thread_;
};

class GatewayAndAgent : public testing::Test {
 protected:
  GatewayAndAgent() { std::tie(listener_, port_) = listen_loopback(); }

  void tell(FakeAgent& agent, uint64_t revision, const std::vector<model::Endpoint>& endpoints, uint32_t cores = 2) {
    model::GatewaySnapshot snapshot = snapshot_of(endpoints);
    snapshot.revision = revision;
    snapshot.routing.gateway.cores = cores;
    agent.set({{{"127.0.0.1", port_, ""}, listener_.get()}}, snapshot);
  }
  static bool serves(FakeAgent& agent, uint64_t revision) {
    return agent.wait_for([revision](const model::GatewayStatus& s) { return s.revision == revision; }).has_value();
  }

  std::string socket_ = folder() + "/agent.sock";
  os::Fd listener_;
  uint16_t port_ = 0;
};

TEST_F(GatewayAndAgent, ServeWhatTheyAgreeOn) {
  FakeUpstream upstream(answer_always("one"));
  FakeAgent agent(socket_);
  RunningGateway gateway({.agent_socket = socket_});
  ASSERT_TRUE(agent.hello().has_value());
  EXPECT_EQ(agent.hello()->revision, 0U);
  tell(agent, 7, {{"web.1", upstream.port()}});
  ASSERT_TRUE(serves(agent, 7));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(Peer::dial(port_).ask(kGet).body, "one");
  tell(agent, 8, {{"web.1", upstream.port(), false}});
  auto status = agent.wait_for([](const model::GatewayStatus& s) { return s.revision == 8; });
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->in_flight.at("web.1"), 0U);
  EXPECT_EQ(status->counters.requests[2], 8U);
  EXPECT_EQ(status->counters.accepted, 8U);
}

TEST_F(GatewayAndAgent, TellWhenADrainingInstanceIsIdle) {
  std::promise<void> go;
  FakeUpstream upstream([&go](Peer& peer, int) {
    peer.read_head();
    go.get_future().wait();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  FakeAgent agent(socket_);
  RunningGateway gateway({.agent_socket = socket_});
  tell(agent, 1, {{"web.1", upstream.port()}});
  ASSERT_TRUE(serves(agent, 1));
  Peer client = Peer::dial(port_);
  client.write(kGet);
  ASSERT_TRUE(eventually([&] { return upstream.connections() == 1; }));
  tell(agent, 2, {{"web.1", upstream.port(), false}});
  auto count = [](uint64_t wanted) {
    return [wanted](const model::GatewayStatus& s) { return s.revision == 2 && s.in_flight.at("web.1") == wanted; };
  };
  EXPECT_TRUE(agent.wait_for(count(1)).has_value());
  go.set_value();
  EXPECT_TRUE(agent.wait_for(count(0)).has_value());
  EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(GatewayAndAgent, GoOnWithoutEachOther) {
  FakeUpstream upstream(answer_always("still here"));
  auto agent = std::make_unique<FakeAgent>(socket_);
  RunningGateway gateway({.agent_socket = socket_});
  tell(*agent, 3, {{"web.1", upstream.port()}});
  ASSERT_TRUE(serves(*agent, 3));
  Peer client = Peer::dial(port_);
  EXPECT_EQ(client.ask(kGet).body, "still here");
  agent.reset();
  EXPECT_EQ(client.ask(kGet).body, "still here");
  EXPECT_EQ(Peer::dial(port_).ask(kGet).body, "still here");
  FakeAgent next(socket_);
  ASSERT_TRUE(next.hello().has_value());
  EXPECT_EQ(next.hello()->revision, 3U);
  ASSERT_EQ(next.hello()->listeners.size(), 1U);
  EXPECT_EQ(next.hello()->listeners[0].port, port_);
  EXPECT_EQ(next.hello_descriptors(), 1U);
  tell(next, 4, {{"web.1", upstream.port()}});
  EXPECT_TRUE(serves(next, 4));
  EXPECT_EQ(client.ask(kGet).body, "still here");
}

TEST_F(GatewayAndAgent, HandAllListenersBackHoweverMany) {
  constexpr size_t kMany = 2 * model::kMostListenersPerMessage + 3;
  std::vector<os::Fd> sockets;
  std::vector<std::pair<model::GatewayListener, int>> listeners;
  for (size_t i = 0; i < kMany; ++i) {
    auto [socket, port] = listen_loopback();
    listeners.emplace_back(model::GatewayListener{"127.0.0.1", port, "web"}, socket.get());
    sockets.push_back(std::move(socket));
  }
  auto agent = std::make_unique<FakeAgent>(socket_);
  RunningGateway gateway({.agent_socket = socket_});
  model::GatewaySnapshot snapshot = snapshot_of({});
  snapshot.revision = 1;
  agent->set(listeners, snapshot);
  ASSERT_TRUE(serves(*agent, 1));
  agent.reset();
  FakeAgent next(socket_);
  ASSERT_TRUE(next.hello().has_value());
  EXPECT_EQ(next.hello()->listeners.size(), kMany);
  EXPECT_EQ(next.hello_descriptors(), kMany);
}

TEST_F(GatewayAndAgent, CloseListenersThatAreNoLongerNamed) {
  FakeAgent agent(socket_);
  RunningGateway gateway({.agent_socket = socket_});
  tell(agent, 1, {});
  ASSERT_TRUE(serves(agent, 1));
  auto [other, other_port] = listen_loopback();
  model::GatewaySnapshot snapshot = snapshot_of({});
  snapshot.revision = 2;
  agent.set({{{"127.0.0.1", other_port, ""}, other.get()}}, snapshot);
  ASSERT_TRUE(serves(agent, 2));
  // The test itself still holds the first socket, so it connects; but nobody accepts.
  Peer unheard = Peer::dial(port_);
  Peer heard = Peer::dial(other_port);
  heard.write("BAD\r\n\r\n");
  EXPECT_EQ(heard.read_response().status, 400);
  unheard.write("BAD\r\n\r\n");
  EXPECT_FALSE(unheard.has_data(50));
}

// Kept connections stay where they are, so an uneven start would stay uneven for hours.
TEST_F(GatewayAndAgent, SpreadConnectionsOverTheirCores) {
  constexpr int kConnections = 512;
  const std::string log = folder() + "/access";
  FakeUpstream upstream(answer_always("x"));
  {
    FakeAgent agent(socket_);
    RunningGateway gateway({.agent_socket = socket_, .access_log = log});
    tell(agent, 1, {{"web.1", upstream.port()}});
    ASSERT_TRUE(serves(agent, 1));
    std::vector<Peer> clients;
    for (int i = 0; i < kConnections; ++i) {
      clients.push_back(Peer::dial(port_));
      EXPECT_EQ(clients.back().ask(kGet).status, 200);
    }
  }
  for (const char* core : {".0.log", ".1.log"}) {
    std::ifstream file(log + core);
    const auto lines = std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
    EXPECT_GT(lines, kConnections * 45 / 100) << core;
  }
}

// Routes change all the time, on every core, and no request on any connection notices.
TEST_F(GatewayAndAgent, ChangeRoutesUnderLoadOnAllCores) {
  FakeUpstream one(answer_always("1"));
  FakeUpstream two(answer_always("2"));
  FakeAgent agent(socket_);
  RunningGateway gateway({.agent_socket = socket_});
  tell(agent, 1, {{"web.1", one.port()}});
  ASSERT_TRUE(serves(agent, 1));
  std::atomic<bool> ending = false;
  std::atomic<int> failed = 0;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, kept = i % 2 == 0] {
      Peer client = Peer::dial(port_);
      while (!ending) {
        if (!kept) client = Peer::dial(port_);
        ++(client.ask(kGet).status == 200 ? answered : failed);
      }
    });
  }
  for (uint64_t revision = 2; revision < 200; ++revision) {
    const bool odd = revision % 2 == 1;
    // One instance drains while the other takes over, and back.
    tell(agent, revision, {{"web.1", one.port(), odd}, {"web.2", two.port(), !odd}});
    ASSERT_TRUE(serves(agent, revision));
  }
  ending = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(answered, 100);
}

TEST_F(GatewayAndAgent, FinishWhatIsInFlightWhenStopped) {
  std::promise<void> go;
  FakeUpstream upstream([&go](Peer& peer, int) {
    peer.read_head();
    go.get_future().wait();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
  });
  FakeAgent agent(socket_);
  RunningGateway gateway({.agent_socket = socket_});
  tell(agent, 1, {{"web.1", upstream.port()}});
  ASSERT_TRUE(serves(agent, 1));
  Peer idle = Peer::dial(port_);
  Peer client = Peer::dial(port_);
  client.write(kGet);
  ASSERT_TRUE(eventually([&] { return upstream.connections() == 1; }));
  std::thread stopping([&gateway] { gateway.stop(); });
  EXPECT_TRUE(idle.ended());
  go.set_value();
  const Peer::Response response = client.read_response();
  EXPECT_EQ(response.body, "done");
  EXPECT_THAT(response.head, testing::HasSubstr("Connection: close\r\n"));
  stopping.join();
}

}  // namespace
}  // namespace freehold::gateway::test
