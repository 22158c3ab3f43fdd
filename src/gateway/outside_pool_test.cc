// Outside upstreams by name, against a name server that lives in the test.
#include "gateway/outside_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "gateway/test_support.h"
#include "net/fake_name_server.h"

namespace freehold::gateway::test {
namespace {

using namespace std::chrono_literals;
using Zone = net::FakeNameServer::Zone;

constexpr std::string_view kOutside = "GET / HTTP/1.1\r\nHost: outside\r\n\r\n";
constexpr std::string_view kInside = "GET / HTTP/1.1\r\nHost: inside\r\n\r\n";

// The name server on a loop and a thread of its own.
class NameServer {
 public:
  NameServer() : loop_(*runtime::Loop::create(runtime::Backend::kEpoll)), server_(*loop_) {
    address_ = server_.address();
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~NameServer() {
    loop_->stop();
    thread_.join();
  }
  const std::string& address() const { return address_; }
  void set(const Zone& zone) {
    on_loop([&] { server_.zones["api.test"] = zone; });
  }
  void remove() {
    on_loop([&] { server_.zones.clear(); });
  }
  int asked() {
    int count = 0;
    on_loop([&] { count = server_.asked["api.test"]; });
    return count;
  }

 private:
  void on_loop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_->post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  std::unique_ptr<runtime::Loop> loop_;
  net::FakeNameServer server_;
  std::string address_;
  std::thread thread_;
};

Zone zone_of(std::string ipv4) { return {.ipv4 = {std::move(ipv4)}, .ttl_s = 0}; }
const std::string kHere{127, 0, 0, 1};
const std::string kNobody{127, 0, 0, 9};  // refuses: the upstream of the test listens on 127.0.0.1 alone

class OutsideUpstream : public testing::Test {
 protected:
  OutsideUpstream()
      : core_({.upstream_refresh = 50ms, .endpoint_pause = 20ms, .queue_deadline = 5s}, runtime::Backend::kEpoll, {},
              {.least_ttl = 1ms, .failure_ttl = 1ms, .timeout = 100ms, .tries = 2, .servers = names_.address()}) {}

  void serve() {
    model::GatewaySnapshot snapshot = snapshot_of({{"web.1", inside_.port()}});
    model::PathRule rule{.pattern = "/", .prefix = true, .kind = model::TargetKind::kUpstreams};
    rule.upstreams.push_back({"api.test", outside_.port(), 1});
    snapshot.routing.routes.push_back({"outside", {rule}});
    core_.apply(snapshot);
  }

  NameServer names_;
  FakeUpstream inside_{answer_always("inside")};
  FakeUpstream outside_{answer_always("outside")};
  TestCore core_;
};

TEST_F(OutsideUpstream, FollowsItsNameWhereverItMoves) {
  names_.set(zone_of(kNobody));
  serve();
  Peer client = core_.dial();
  client.write(kOutside);
  ASSERT_TRUE(eventually([&] { return core_.counters().upstream_failures.get() > 0; }));
  names_.set(zone_of(kHere));
  EXPECT_EQ(client.read_response().body, "outside") << "the request waited, and nothing of it had been sent";
}

TEST_F(OutsideUpstream, StaysWhereItWasWhileItsNameDoesNotResolve) {
  names_.set(zone_of(kHere));
  serve();
  Peer client = core_.dial();
  EXPECT_EQ(client.ask(kOutside).body, "outside");
  names_.remove();
  const int before = names_.asked();
  ASSERT_TRUE(eventually([&] { return names_.asked() > before + 2; }));
  EXPECT_EQ(client.ask(kOutside).body, "outside");
}

TEST_F(OutsideUpstream, WaitsForANameThatIsNotThereYetAndStallsNobody) {
  for (const bool silent : {false, true}) {
    silent ? names_.set({.silent = true}) : names_.remove();
    serve();
    Peer waiting = core_.dial();
    waiting.write(kOutside);
    Peer other = core_.dial();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(other.ask(kInside).body, "inside");
    EXPECT_FALSE(waiting.has_data(0));
    names_.set(zone_of(kHere));
    EXPECT_EQ(waiting.read_response().body, "outside");
    core_.serve({});  // the pool is forgotten, and with it what the name was
  }
}

}  // namespace
}  // namespace freehold::gateway::test
