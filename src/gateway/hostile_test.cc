// Clients and upstreams that lie, split, flood, vanish: what each side gets to see of the other all the same.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/socket.h>

#include <future>
#include <thread>

#include "gateway/test_support.h"

namespace freehold::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

FakeUpstream::Script answer_once(std::string answer) {
  return [answer = std::move(answer)](Peer& peer, int) {
    while (!peer.read_head().empty()) peer.write(answer);
  };
}

class Hostile : public testing::TestWithParam<runtime::Backend> {
 protected:
  TestCore core_{{}, GetParam()};
};

// ---- upstreams

TEST_P(Hostile, AnAnswerWithTwoMeaningsIsNone) {
  for (const char* answer : {
           "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
           "HTTP/1.1 200 OK\r\nContent-Length: 3,3\r\n\r\nabc",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
           "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\r\n folded: b\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
           "HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n",
           "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 3\r\n\r\nabc",
           "no HTTP at all\r\n\r\n",
       }) {
    FakeUpstream upstream(answer_once(answer));
    core_.serve({{"web.1", upstream.port()}});
    Peer client = core_.dial();
    const Peer::Response response = client.ask(kGet);
    EXPECT_EQ(response.status, 502) << answer;
    EXPECT_THAT(response.body, HasSubstr("The service 'web' ")) << answer;
    EXPECT_EQ(client.ask(kGet).status, 502) << "the client's connection goes on: " << answer;
  }
}

TEST_P(Hostile, WhatComesBehindAnAnswerReachesNobody) {
  // A second answer, and the body of an answer that has none.
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison", "HTTP/1.1 204 No Content\r\n\r\npoison"}) {
    FakeUpstream upstream(answer_once(answer));
    core_.serve({{"web.1", upstream.port()}});
    Peer client = core_.dial();
    for (int i = 0; i < 3; ++i) {
      client.write(kGet);
      const Peer::Response response = client.read_response();
      EXPECT_THAT(response.status, testing::AnyOf(200, 204, 304));
      EXPECT_THAT(response.head + response.body, Not(HasSubstr("poison")));
    }
    EXPECT_FALSE(client.has_data(0));
    EXPECT_EQ(upstream.connections(), 3) << answer;
  }
}

TEST_P(Hostile, AnAnswerThatHasNoBodyTellsOfNone) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write(
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\nLink: </a>\r\n\r\n"
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write(kGet);
  const std::string hints = client.read_head();
  EXPECT_THAT(hints, StartsWith("HTTP/1.1 103 "));
  EXPECT_THAT(hints, HasSubstr("Link: </a>\r\n"));
  EXPECT_THAT(hints, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(client.read_response().status, 502) << "both framings are no answer, whatever the status";
}

TEST_P(Hostile, NoContentHasNoLength) {
  FakeUpstream upstream(answer_once("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-Kept: 1\r\n\r\n"));
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  for (int i = 0; i < 2; ++i) {
    const Peer::Response response = client.ask(kGet);
    EXPECT_EQ(response.status, 204);
    EXPECT_THAT(response.head, HasSubstr("X-Kept: 1\r\n"));
    EXPECT_THAT(response.head, Not(HasSubstr("Content-Length")));
  }
}

TEST_P(Hostile, InterimAnswersAreBoundedInNumberAndNotByTheBuffer) {
  const std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: <" + std::string(4000, 'l') + ">\r\n\r\n";
  auto with_hints = [hint](int count) {
    return [hint, count](Peer& peer, int) {
      peer.read_head();
      for (int i = 0; i < count; ++i) peer.write(hint);
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + std::string(9000, 'x') + "\r\n\r\nok");
      peer.read_head();
    };
  };
  auto final_status = [this](const FakeUpstream& upstream) {
    core_.serve({{"web.1", upstream.port()}});
    Peer client = core_.dial();
    client.write(kGet);
    for (;;) {
      const Peer::Response response = client.read_response();
      if (response.status != 103) return response.status;
    }
  };
  FakeUpstream many(with_hints(16));
  EXPECT_EQ(final_status(many), 200);
  FakeUpstream too_many(with_hints(17));
  EXPECT_EQ(final_status(too_many), 502);
}

TEST_P(Hostile, AnAnswerCutInItsChunksIsSeenAsCut) {
  for (const char* cut : {"5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\nzz\r\n", "5\r\nhelloX"}) {
    FakeUpstream upstream([cut](Peer& peer, int) {
      peer.read_head();
      peer.write(std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + cut);
    });
    core_.serve({{"web.1", upstream.port()}});
    Peer client = core_.dial();
    client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string all = client.read_all();
    EXPECT_TRUE(client.was_reset() || all.starts_with("HTTP/1.1 502 ")) << cut;
    EXPECT_THAT(all, Not(EndsWith("0\r\n\r\n"))) << cut;
  }
}

// A port that takes no connection and refuses none: its queue is full.
class Blackhole {
 public:
  Blackhole() {
    listener_ = os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address any = Address::loopback(0);
    if (::bind(listener_.get(), any.get(), any.length) != 0 || ::listen(listener_.get(), 0) != 0) std::abort();
    sockaddr_in bound{};
    socklen_t length = sizeof(bound);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    port_ = ntohs(bound.sin_port);
    const Address address = Address::loopback(port_);
    for (os::Fd& filler : fillers_) {
      filler = os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(filler.get(), address.get(), address.length);
    }
  }
  uint16_t port() const { return port_; }

 private:
  os::Fd listener_;
  std::array<os::Fd, 3> fillers_;
  uint16_t port_ = 0;
};

// On epoll alone: a ring keeps the limit of the moment at which it began to accept.
TEST(HostileTimes, WhereDescriptorsRunOutIdleConnectionsMakeRoom) {
  TestCore core;
  core.serve({});
  // One ends while there are descriptors: the first time that UBSan meets a type, it needs a pipe to look at it.
  core.dial().close();
  ASSERT_TRUE(
      eventually([&] { return core.counters().accepted.get() == 1 && core.counters().connections.get() == 0; }));
  std::vector<Peer> idle;
  for (int i = 0; i < 8; ++i) idle.push_back(core.dial());
  ASSERT_TRUE(eventually([&] { return core.counters().connections.get() == 8; }));
  os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const os::Fd next(::dup(socket.get()));
  const rlimit full{static_cast<rlim_t>(next.get()), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &full), 0);
  ASSERT_TRUE(Peer::connect(socket.get(), core.port()));
  Peer late(std::move(socket));
  late.write("BAD\r\n\r\n");
  EXPECT_EQ(late.read_response().status, 400);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(idle.front().ended());
}

TEST(HostileTimes, InstancesThatCannotBeReachedAreNotTriedForEver) {
  Blackhole one;
  Blackhole two;
  // A pause that is over before the other attempt is: there always seems to be another instance to try.
  TestCore core({.upstream_connect = 100ms, .endpoint_pause = 20ms, .queue_deadline = 300ms});
  core.serve({{"web.1", one.port()}, {"web.2", two.port()}});
  Peer client = core.dial();
  const Peer::Response response = client.ask(kGet);
  EXPECT_EQ(response.status, 504);
  EXPECT_THAT(response.body, HasSubstr("The service 'web' did not answer in time."));
}

// ---- clients

TEST_P(Hostile, AClientThatGoesAwayTakesItsRequestWithIt) {
  for (const char* begin : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    for (const char* request :
         {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"}) {
      std::promise<bool> ended;
      FakeUpstream upstream([&ended, begin, body = std::string_view(request).ends_with("xy")](Peer& peer, int) {
        peer.read_head();
        if (body) peer.read_exactly(2);
        peer.write(begin);
        ended.set_value(peer.ended());
      });
      core_.serve({{"web.1", upstream.port()}});
      {
        Peer client = core_.dial();
        client.write(request);
        if (*begin != 0) {
          client.read_until("half");
        } else {
          ASSERT_TRUE(eventually([&] { return upstream.connections() == 1; }));
        }
      }
      EXPECT_TRUE(ended.get_future().get()) << begin << request;
      EXPECT_TRUE(eventually([&] { return core_.counters().in_flight.get() == 0; }));
    }
  }
}

TEST_P(Hostile, AClientThatLeavesTheQueueIsNotServed) {
  core_.serve({});
  {
    Peer client = core_.dial();
    client.write(kGet);
    ASSERT_TRUE(eventually([&] { return core_.counters().in_flight.get() == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return core_.counters().in_flight.get() == 0; }));
}

TEST_P(Hostile, ARequestBehindAnotherWaitsForItsTurnHoweverItIsSplit) {
  std::promise<void> go;
  FakeUpstream upstream([&go](Peer& peer, int) {
    peer.read_head();
    go.get_future().wait();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write(std::string(kGet) + "GET /2 HT");
  ASSERT_TRUE(eventually([&] { return upstream.connections() == 1; }));
  client.write("TP/1.1\r\nHo");
  go.set_value();
  EXPECT_EQ(client.read_response().body, "1");
  client.write("st: a\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "2");
}

TEST_P(Hostile, NothingThatTheGatewaySaysCanBeSaidByAClient) {
  std::string seen;
  FakeUpstream upstream([&seen](Peer& peer, int) {
    seen = peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  core_.dial().ask(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Prefix: /evil\r\nX_Forwarded-Server: evil\r\nx-forwarded_ssl: evil\r\n"
      "Proxy: http://evil\r\nX-Forwarded: kept\r\nProxy-Thing: kept\r\nX-Real_IP: evil\r\n"
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: H2C\r\nHTTP2-Settings: evil\r\n\r\n");
  EXPECT_THAT(seen, Not(HasSubstr("evil")));
  EXPECT_THAT(seen, Not(HasSubstr("H2C")));
  EXPECT_THAT(seen, HasSubstr("X-Forwarded: kept\r\nProxy-Thing: kept\r\n"));
}

TEST_P(Hostile, AnExpectationIsAnsweredByWhoDecides) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  // Refused before the body: no body is waited for, and the connection, where it may or may not follow, ends.
  Peer client = core_.dial();
  const Peer::Response refused =
      client.ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.head, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(core_.dial().ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n").status, 417);
  EXPECT_EQ(core_.dial()
                .ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9000000000\r\n\r\n")
                .status,
            413);
}

TEST_P(Hostile, TargetsArePassedOnAsTheyCame) {
  std::string seen;
  FakeUpstream upstream([&seen](Peer& peer, int) {
    for (;;) {
      const std::string head = peer.read_head();
      if (head.empty()) return;
      seen = head.substr(0, head.find("\r\n"));
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  for (const char* target : {"/@scope%2fpackage/-/p.tgz", "/api/v4/projects/group%2Fproject?a=%2F&b", "/a%2F..%2Fb",
                             "/a//b/./c/../d", "/%C3%A4?%", "/a%252Fb", "/;a=b:@!$&'()*+,=~"}) {
    EXPECT_EQ(client.ask(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", target)).status, 200) << target;
    EXPECT_EQ(seen, fmt::format("GET {} HTTP/1.1", target));
  }
  EXPECT_EQ(client.ask("GET http://A:80/x%2Fy?z HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  EXPECT_EQ(seen, "GET /x%2Fy?z HTTP/1.1");
}

TEST_P(Hostile, AnEncodedSlashIsPassedOnOnlyWhereBothReadingsAreOneRoute) {
  FakeUpstream open(answer_always("open"));
  FakeUpstream closed(answer_always("closed"));
  model::GatewaySnapshot snapshot;
  snapshot.routing.routes = {{"a", {to_service("/open/*", "open"), to_service("/closed/*", "closed")}},
                             {"b", {to_service("/*", "open"), to_service("/closed/*", "closed")}}};
  snapshot.endpoints["open"] = {{"open.1", open.port()}};
  snapshot.endpoints["closed"] = {{"closed.1", closed.port()}};
  core_.apply(snapshot);
  auto ask = [this](std::string_view host, std::string_view path) {
    const auto response = core_.dial().ask(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", path, host));
    return response.status == 200 ? response.body : std::to_string(response.status);
  };
  EXPECT_EQ(ask("a", "/open/x%2Fy"), "open");
  EXPECT_EQ(ask("a", "/open/x%2F..%2Fy"), "open");
  EXPECT_EQ(ask("b", "/x%2Fclosed"), "open");
  EXPECT_EQ(ask("a", "/none%2Fx"), "404");
  for (const char* path : {"/open/..%2Fclosed/x", "/open/x/..%2f..%2fclosed%2fx", "/open/..%2F..%2F..%2Fetc",
                           "/open%2Fx", "/open/%2e%2e%2Fother"}) {
    EXPECT_EQ(ask("a", path), "400") << path;
  }
  EXPECT_EQ(ask("b", "/closed%2Fx"), "400");
  EXPECT_EQ(ask("b", "/%2Fclosed/x"), "400");
}

// ---- pages

TEST_P(Hostile, PagesSayWhatIsMissingAndNoMore) {
  model::GatewaySnapshot snapshot;
  snapshot.routing.routes = {{"known.example", {to_service("/api/*", "web")}}};
  core_.apply(snapshot);
  Peer client = core_.dial();
  Peer::Response page = client.ask("GET / HTTP/1.1\r\nHost: other.example\r\n\r\n");
  EXPECT_EQ(page.status, 404);
  EXPECT_EQ(page.body, "404 Not Found\nNothing is served under this host name.\n");
  page = client.ask("GET /other HTTP/1.1\r\nHost: known.example\r\nAccept: text/html\r\n\r\n");
  EXPECT_EQ(page.status, 404);
  EXPECT_THAT(page.body, HasSubstr("<p>Nothing is served under this path.<p>"));
  page = client.ask("HEAD /other HTTP/1.1\r\nHost: known.example\r\n\r\n");
  EXPECT_EQ(page.status, 404);
  EXPECT_THAT(page.head, HasSubstr("Content-Length: 49\r\n"));
  page = client.ask("POST /other HTTP/1.1\r\nHost: known.example\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(page.status, 404) << "the body that came with it is no request";
  page = client.ask("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
  EXPECT_EQ(page.body, "400 Bad Request\nThe request was refused: a space before the colon.\n");
}

INSTANTIATE_TEST_SUITE_P(Engines, Hostile, testing::ValuesIn(backends()),
                         [](const auto& engine) { return backend_name(engine.param); });

}  // namespace
}  // namespace freehold::gateway::test
