// The agent's end of the link, against a gateway that the test plays.
#include "agent/gateway_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "net/connect.h"
#include "net/listen.h"

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;

uint64_t cookie(int fd) {
  uint64_t value = 0;
  socklen_t length = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &value, &length) == 0 ? value : 0;
}

class GatewayServerTest : public testing::Test {
 protected:
  GatewayServerTest() {
    std::string folder = "/tmp/freehold-agent-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    path_ = folder + "/gateway.sock";
    loop_ = *runtime::Loop::create(runtime::Backend::kEpoll);
  }

  // Listeners as a gateway holds them, and a snapshot that wants exactly these.
  void hold(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto socket = net::listen_tcp(net::SocketAddress::loopback(0));
      ASSERT_TRUE(socket) << socket.error().message();
      const uint16_t port = net::SocketAddress::local_of(socket->get())->port();
      snapshot_.routing.addresses["s" + std::to_string(i)] = port;
      held_.emplace_back(model::GatewayListener{"127.0.0.1", port, "s" + std::to_string(i)}, *std::move(socket));
    }
  }
  void open(Duration grace) {
    auto server = GatewayServer::open(
        *loop_, {path_, static_cast<uint32_t>(::geteuid()), grace},
        {[](const model::GatewayStatus&) {}, [] {}, [this]() -> const model::GatewaySnapshot& { return snapshot_; },
         [] {}, [this] { ++settled_; }});
    ASSERT_TRUE(server) << server.error().message();
    server_ = *std::move(server);
  }
  void dial() {
    auto socket = net::connect_blocking(*net::SocketAddress::unix_path(path_), 1s);
    ASSERT_TRUE(socket) << socket.error().message();
    channel_ = std::make_unique<net::MessageChannel>(
        *loop_, *std::move(socket),
        net::MessageChannel::Handlers{[this](net::MessageChannel::Message message) { on_message(std::move(message)); },
                                      [](const Error&) {}},
        net::MessageChannel::Limits{.frame = {.descriptors = model::kMostListenersPerMessage}});
  }
  void say_hello() {
    for (size_t at = 0; at < held_.size();) {
      model::GatewayHello hello;
      std::vector<os::Fd> fds;
      for (; at < held_.size() && fds.size() < model::kMostListenersPerMessage; ++at) {
        hello.listeners.push_back(held_[at].first);
        fds.emplace_back(::dup(held_[at].second.get()));
      }
      hello.last = at == held_.size();
      ASSERT_TRUE(channel_->send(codec::to_json(hello).dump(), std::move(fds)));
    }
  }
  void on_message(net::MessageChannel::Message message) {
    auto json = codec::Json::parse(message.bytes);
    ASSERT_TRUE(json);
    if ((*json)["type"].as_string() != "listeners") return;
    auto part = codec::from_json<model::GatewayListeners>(*json);
    ASSERT_TRUE(part);
    for (size_t i = 0; i < message.fds.size(); ++i) {
      given_[part->listeners[i].port] = cookie(message.fds[i].get());
    }
    listed_ = part->last;
  }
  void run_until(const std::function<bool()>& condition) {
    const MonotonicTime end = loop_->now() + 10s;
    while (!condition() && loop_->now() < end) loop_->run_once(100ms);
    ASSERT_TRUE(condition());
  }

  std::string path_;
  std::unique_ptr<runtime::Loop> loop_;
  model::GatewaySnapshot snapshot_;
  std::vector<std::pair<model::GatewayListener, os::Fd>> held_;
  std::map<uint16_t, uint64_t> given_;
  bool listed_ = false;
  int settled_ = 0;
  std::unique_ptr<net::MessageChannel> channel_;
  std::unique_ptr<GatewayServer> server_;
};

TEST_F(GatewayServerTest, TakesOverEveryListenerThatAGatewayHolds) {
  hold(2 * model::kMostListenersPerMessage + 3);
  open(10s);
  dial();
  say_hello();
  run_until([this] { return listed_; });
  ASSERT_EQ(given_.size(), held_.size());
  for (const auto& [name, socket] : held_) EXPECT_EQ(given_[name.port], cookie(socket.get())) << "another socket";
  EXPECT_TRUE(server_->problems().empty());
}

// Whoever ends the old gateway now must not close the sockets with it.
TEST_F(GatewayServerTest, IsSettledOnceTheSocketsAreItsOwn) {
  hold(1);
  open(10s);
  dial();
  loop_->run_once(10ms);
  EXPECT_EQ(settled_, 0);
  say_hello();
  run_until([this] { return settled_ > 0; });
  say_hello();
  loop_->run_once(10ms);
  EXPECT_EQ(settled_, 1);
}

TEST_F(GatewayServerTest, TakesAPortSoonThatWasHeldForAMomentOnly) {
  hold(1);
  open(Duration::zero());
  run_until([this] { return !server_->problems().empty(); });
  held_.clear();
  const MonotonicTime freed = loop_->now();
  run_until([this] { return server_->problems().empty(); });
  EXPECT_LT(loop_->now() - freed, 1s);
}

TEST_F(GatewayServerTest, ForgetsAProblemThatALateGatewaySolves) {
  hold(1);
  open(Duration::zero());
  run_until([this] { return !server_->problems().empty(); });
  dial();
  say_hello();
  run_until([this] { return listed_; });
  EXPECT_TRUE(server_->problems().empty());
}

}  // namespace
}  // namespace freehold::agent
