// Proxying on real sockets: one core, scripted upstreams, both engines.
#include "gateway/exchange.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <random>
#include <thread>

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

TEST_P(Exchanges, DropWhatTheClientSaysAboutItselfAndWhatBelongsToItsConnection) {
  std::string seen;
  FakeUpstream upstream([&seen](Peer& peer, int) {
    seen = peer.read_head();
    peer.write("HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n");
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  const Peer::Response response = client.ask(
      "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 6.6.6.6\r\nx_forwarded_for: 6.6.6.6\r\nForwarded: "
      "for=6.6.6.6\r\n"
      "X-Forwarded-Proto: https\r\nX-Request-Id: mine\r\nX-Real-IP: 6.6.6.6\r\nConnection: keep-alive, X-Secret\r\n"
      "X-Secret: 1\r\nTE: trailers\r\nX-Kept: 1\r\n\r\n");
  EXPECT_EQ(response.status, 204);
  EXPECT_THAT(response.head, Not(HasSubstr("Keep-Alive")));
  EXPECT_THAT(response.head, Not(HasSubstr("X-Hop")));
  for (const char* gone : {"6.6.6.6", "https", "mine", "X-Secret", "TE:", "keep-alive"}) {
    EXPECT_THAT(seen, Not(HasSubstr(gone)));
  }
  for (const char* there : {"X-Kept: 1\r\n", "Host: a.example\r\n", "X-Forwarded-For: 127.0.0.1\r\n",
                            "X-Forwarded-Proto: http\r\n", "X-Forwarded-Host: a.example\r\n",
                            "Forwarded: for=127.0.0.1;host=\"a.example\";proto=http\r\n", "X-Request-Id: "}) {
    EXPECT_THAT(seen, HasSubstr(there));
  }
}

TEST_P(Exchanges, AnswerPipelinedRequestsInOrder) {
  FakeUpstream upstream([](Peer& peer, int) {
    for (;;) {
      const std::string head = peer.read_head();
      if (head.empty()) return;
      const std::string path = head.substr(4, head.find(' ', 4) - 4);
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
    }
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nX-Pad: xxxxxxxxx\r\n\r\n";
  client.write(requests);
  for (int i = 0; i < 50; ++i) {
    const Peer::Response response = client.read_response();
    ASSERT_EQ(response.body, "/" + std::to_string(i)) << response.head;
  }
  EXPECT_EQ(upstream.connections(), 1);
}

// Whatever the pieces in which bytes arrive, what is passed on is the same.
TEST_P(Exchanges, DoNotDependOnHowBytesAreSplit) {
  FakeUpstream upstream([](Peer& peer, int) {
    std::mt19937 random(7);
    for (;;) {
      const std::string head = peer.read_head();
      if (head.empty()) return;
      std::string body;
      for (;;) {
        const std::string line = peer.read_until("\r\n");
        const size_t size = std::strtoul(line.c_str(), nullptr, 16);
        body += peer.read_exactly(size);
        peer.read_until("\r\n");
        if (size == 0) break;
      }
      peer.write_slowly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n,\r\n",
                        1 + random() % 9);
      peer.write_slowly(fmt::format("{:x}\r\n{}\r\n0\r\nTrailer: x\r\n\r\n", body.size(), body), 1 + random() % 9);
    }
  });
  core_.serve({{"web.1", upstream.port()}});
  const std::string request =
      "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\nA;q=\"z\"\r\n0123456789\r\n1\r\n!\r\n0\r\n\r\n";
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  Peer client = core_.dial();
  for (int round = 0; round < 40; ++round) {
    // Two requests at a time, so that pieces span their border.
    const std::string both = request + request;
    for (size_t at = 0; at < both.size();) {
      const size_t piece = 1 + random() % (round < 5 ? 2 : 60);
      client.write(std::string_view(both).substr(at, piece));
      at += piece;
    }
    for (int i = 0; i < 2; ++i) {
      const Peer::Response response = client.read_response();
      ASSERT_EQ(response.status, 200) << response.head << response.body;
      ASSERT_EQ(response.body, "hello,abc0123456789!");
    }
  }
}

TEST_P(Exchanges, StreamLargeBodiesBothWaysWithoutHoldingThem) {
  const std::string large(8 << 20, 'b');
  FakeUpstream upstream([&large](Peer& peer, int) {
    peer.read_head();
    const std::string body = peer.read_exactly(large.size());
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write("PUT /f HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n");
  std::thread sender([&] { client.write(large); });
  const Peer::Response response = client.read_response();
  sender.join();
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body == large);
  size_t held = 9;
  core_.on_core([&] { held = core_.core().buffers().in_use(); });
  EXPECT_EQ(held, 0U);
}

TEST_P(Exchanges, FrameAnAnswerUntilCloseAsChunks) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  for (int i = 0; i < 2; ++i) {
    const Peer::Response response = client.ask(kGet);
    EXPECT_THAT(response.head, HasSubstr("Transfer-Encoding: chunked"));
    EXPECT_EQ(response.body, "until the end");
  }
}

TEST_P(Exchanges, ServeOldClients) {
  FakeUpstream upstream([](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n");
    }
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write("GET / HTTP/1.0\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nold"));
}

TEST_P(Exchanges, KnowAnswersWithoutABody) {
  FakeUpstream upstream([](Peer& peer, int) {
    for (;;) {
      const std::string head = peer.read_head();
      if (head.empty()) return;
      if (head.starts_with("HEAD")) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
      if (head.starts_with("GET /204")) peer.write("HTTP/1.1 204 No Content\r\n\r\n");
      if (head.starts_with("GET /304")) peer.write("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
    }
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  EXPECT_THAT(client.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").head, HasSubstr("Content-Length: 99"));
  EXPECT_EQ(client.ask("GET /204 HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
  EXPECT_EQ(client.ask("GET /304 HTTP/1.1\r\nHost: a\r\n\r\n").status, 304);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST_P(Exchanges, PassOnInterimAnswers) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    const std::string body = peer.read_exactly(4);
    peer.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body);
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 100 "));
  client.write("body");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 103 "));
  EXPECT_EQ(client.read_response().body, "body");
}

TEST_P(Exchanges, EndTheConnectionWhenTheAnswerComesBeforeTheBody) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\nbegin");
  const Peer::Response response = client.read_response();
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.head, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(client.ended());
}

TEST_P(Exchanges, CutTheClientWhenTheUpstreamDiesInItsAnswer) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    peer.close();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write(kGet);
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 200"));
  client.read_all();
  EXPECT_TRUE(client.was_reset());
}

TEST_P(Exchanges, TryAnotherInstanceWhenOneDiesBeforeItAnswers) {
  FakeUpstream dying([](Peer& peer, int) { peer.read_head(); });
  FakeUpstream well(answer_always("well"));
  core_.serve({{"web.1", dying.port()}, {"web.2", well.port()}});
  Peer client = core_.dial();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(client.ask(kGet).body, "well");
  EXPECT_GT(dying.connections(), 0);
  EXPECT_GT(core_.counters().retries.get(), 0U);
  // With a body that is still held.
  EXPECT_EQ(client.ask("PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").body, "well");
}

TEST_P(Exchanges, DoNotRepeatWhatMayNotBeRepeated) {
  FakeUpstream dying([](Peer& peer, int) { peer.read_head(); });
  core_.serve({{"web.1", dying.port()}});
  Peer client = core_.dial();
  EXPECT_EQ(client.ask("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").status, 502);
  EXPECT_EQ(dying.connections(), 1);
}

TEST_P(Exchanges, TakeAFreshConnectionWhenAKeptOneIsDead) {
  // Each connection answers once, then waits for the next request and dies on it.
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer.read_head();
    peer.reset();
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.ask(kGet).body, "ok");
  EXPECT_EQ(upstream.connections(), 5);
}

TEST_P(Exchanges, LeaveAnInstanceAloneThatRefusesConnections) {
  FakeUpstream gone(answer_always("gone"));
  gone.stop_listening();
  FakeUpstream well(answer_always("well"));
  core_.serve({{"web.1", gone.port()}, {"web.2", well.port()}});
  Peer client = core_.dial();
  // Also what is not idempotent: nothing of it was sent.
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(client.ask("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").body, "well");
  }
}

TEST_P(Exchanges, WaitForAnInstanceThatIsBeingRestarted) {
  FakeUpstream well(answer_always("back"));
  core_.serve({});
  Peer client = core_.dial();
  client.write(kGet);
  EXPECT_FALSE(client.has_data(50));
  core_.serve({{"web.2", well.port()}});
  EXPECT_EQ(client.read_response().body, "back");
}

TEST_P(Exchanges, FinishOnAnInstanceThatDrainsAndReportWhenItIsIdle) {
  std::promise<void> go;
  FakeUpstream old([&go](Peer& peer, int) {
    peer.read_head();
    go.get_future().wait();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
    peer.read_head();
  });
  FakeUpstream fresh(answer_always("new"));
  core_.serve({{"web.1", old.port()}});
  Peer slow = core_.dial();
  slow.write(kGet);
  ASSERT_TRUE(eventually([&] { return old.connections() == 1; }));
  core_.serve({{"web.1", old.port(), false}, {"web.2", fresh.port()}});
  EXPECT_EQ(core_.draining()["web.1"], 1U);
  Peer other = core_.dial();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(other.ask(kGet).body, "new");
  go.set_value();
  EXPECT_EQ(slow.read_response().body, "old");
  EXPECT_TRUE(eventually([&] { return core_.draining()["web.1"] == 0; }));
}

TEST_P(Exchanges, AreCutWhenTheirInstanceLeavesAndOthersAreNot) {
  std::promise<void> go;
  auto half = [](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
  };
  FakeUpstream leaving([&](Peer& peer, int number) {
    half(peer, number);
    peer.read_head();
  });
  FakeUpstream staying([&](Peer& peer, int number) {
    half(peer, number);
    go.get_future().wait();
    peer.write("full");
    peer.read_head();
  });
  core_.serve({{"web.1", leaving.port()}});
  Peer first = core_.dial();
  first.write(kGet);
  first.read_until("half");
  core_.serve({{"web.1", leaving.port(), false}, {"web.2", staying.port()}});
  Peer second = core_.dial();
  second.write(kGet);
  second.read_until("half");
  core_.serve({{"web.2", staying.port()}});
  EXPECT_TRUE(first.ended());
  go.set_value();
  EXPECT_EQ(second.read_exactly(4), "full");
}

TEST_P(Exchanges, TunnelAfterAnUpgradeAndPassOnEachEnd) {
  FakeUpstream upstream([](Peer& peer, int) {
    const std::string head = peer.read_head();
    if (head.find("Upgrade: websocket\r\n") == std::string::npos) return;
    peer.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nearly");
    EXPECT_EQ(peer.read_exactly(5), "hello");
    peer.write("world");
    EXPECT_TRUE(peer.ended());
    peer.write("late");
  });
  core_.serve({{"web.1", upstream.port()}});
  Peer client = core_.dial();
  client.write("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhel");
  const std::string head = client.read_head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(head, HasSubstr("Upgrade: websocket\r\n"));
  EXPECT_EQ(client.read_exactly(5), "early");
  client.write("lo");
  EXPECT_EQ(client.read_exactly(5), "world");
  EXPECT_TRUE(eventually([&] { return core_.counters().tunnels.get() == 1; }));
  client.shutdown_send();
  EXPECT_EQ(client.read_all(), "late");
  EXPECT_TRUE(eventually([&] { return core_.counters().tunnels.get() == 0; }));
}

TEST_P(Exchanges, DoNotLetCleartextHttp2Through) {
  std::string seen;
  FakeUpstream upstream([&seen](Peer& peer, int) {
    seen = peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer.read_head();
  });
  core_.serve({{"web.1", upstream.port()}});
  EXPECT_EQ(core_.dial()
                .ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                     "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
                .status,
            200);
  EXPECT_THAT(seen, Not(HasSubstr("h2c")));
}

INSTANTIATE_TEST_SUITE_P(Engines, Exchanges, testing::ValuesIn(backends()),
                         [](const auto& engine) { return backend_name(engine.param); });

}  // namespace
}  // namespace freehold::gateway::test
