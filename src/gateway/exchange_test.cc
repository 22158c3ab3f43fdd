// Proxying on real sockets: one core, scripted upstreams, both engines.
#include "gateway/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "gateway/test_support.h"

namespace freehold::gateway::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGet = "GET /x?q=1 HTTP/1.1\r\nHost: example.org\r\n\r\n";

class Exchanges : public testing::TestWithParam<runtime::Backend> {
 protected:
  TestCore core_{{}, GetParam()};
};

TEST_P(Exchanges, PassRequestAndAnswerAndKeepBothConnections) {
  std::string seen;
  FakeUpstream upstream([&seen](Peer& peer, int) {
    for (;;) {
      const std::string head = peer.read_head();
      if (head.empty()) return;
      seen = head;
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Mine: yes\r\nConnection: keep-alive\r\n\r\nhello");
    }
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  for (int i = 0; i < 3; ++i) {
    const Peer::Response response = client.ask(kGet);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_THAT(response.head, HasSubstr("X-Mine: yes\r\n"));
    EXPECT_THAT(response.head, HasSubstr("\r\nDate: "));
    EXPECT_THAT(response.head, Not(HasSubstr("Connection")));
  }
  EXPECT_EQ(upstream.connections(), 1);
  EXPECT_THAT(seen, StartsWith("GET /x?q=1 HTTP/1.1\r\nHost: example.org\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nX-Forwarded-For: 127.0.0.1\r\n"));
}

INSTANTIATE_TEST_SUITE_P(Engines, Exchanges, testing::ValuesIn(backends()),
                         [](const auto& engine) { return backend_name(engine.param); });

}  // namespace
}  // namespace freehold::gateway::test
