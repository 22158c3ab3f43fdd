// Clients that are slow, wrong or malicious; limits; files and redirects over a connection.
#include "gateway/client_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "gateway/test_support.h"

namespace freehold::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ClientConnection, RefusesWhatTwoParsersCouldReadDifferently) {
  std::atomic<int> reached = 0;
  FakeUpstream upstream([&reached](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      ++reached;
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  TestCore core;
  core.serve({{"web.1", upstream.port()}});
  constexpr std::string_view kHidden =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x "
      "HTTP/1.1\r\n\r\n";
  for (std::string_view request : {
           kHidden,
           std::string_view("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
           std::string_view("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd"),
           std::string_view("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
           std::string_view("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
           std::string_view("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string_view("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
           std::string_view("GET / HTTP/1.1\r\n\r\n"),
           std::string_view("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
           std::string_view("GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n"),
           std::string_view("GET / HTTP/1.1\nHost: a\n\n"),
           std::string_view("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string_view("GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string_view("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n"),
           std::string_view("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n"),
       }) {
    Peer client = core.dial();
    const Peer::Response response = client.ask(request);
    EXPECT_TRUE(response.status == 400 || response.status == 501) << request << response.status;
    EXPECT_TRUE(client.ended()) << request;
  }
  EXPECT_EQ(reached, 0);
}

TEST(ClientConnection, RefusesConnectAndTrace) {
  TestCore core;
  core.serve({});
  EXPECT_EQ(core.dial().ask("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n").status, 405);
  EXPECT_EQ(core.dial().ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
}

TEST(ClientConnection, HoldsHeadsToTheirLimits) {
  TestCore core({.head_bytes = 2000, .headers = 10});
  core.serve({});
  EXPECT_EQ(core.dial().ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(3000, 'x') + "\r\n\r\n").status, 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 20; ++i) many += "X: y\r\n";
  EXPECT_EQ(core.dial().ask(many + "\r\n").status, 431);
}

TEST(ClientConnection, HoldsBodiesToTheirLimit) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.read_all();
  });
  TestCore core({.body_bytes = 1000});
  core.serve({{"web.1", upstream.port()}});
  EXPECT_EQ(core.dial().ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n").status, 413);
  Peer client = core.dial();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) client.write("64\r\n" + std::string(100, 'x') + "\r\n");
  EXPECT_EQ(client.read_response().status, 413);
}

TEST(ClientConnection, EndsSlowClients) {
  TestCore core({.idle = 100ms, .head = 100ms, .body = 100ms});
  FakeUpstream upstream([](Peer& peer, int) { peer.read_all(); });
  core.serve({{"web.1", upstream.port()}});
  Peer idle = core.dial();
  Peer head = core.dial();
  Peer body = core.dial();
  head.write("GET / HT");
  body.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_TRUE(idle.ended());
  EXPECT_EQ(head.read_response().status, 408);
  EXPECT_EQ(body.read_response().status, 408);
}

TEST(ClientConnection, AnswersForAnUpstreamThatDoesNot) {
  TestCore core({.upstream_response = 100ms});
  FakeUpstream upstream([](Peer& peer, int) { peer.read_all(); });
  core.serve({{"web.1", upstream.port()}});
  Peer client = core.dial();
  EXPECT_EQ(client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 504);
}

TEST(ClientConnection, EndsAnAnswerThatNeverEnds) {
  TestCore core({.request = 100ms});
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\n\r\n");
    while (peer.write("more")) std::this_thread::yield();
  });
  core.serve({{"web.1", upstream.port()}});
  Peer client = core.dial();
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_all();
  EXPECT_TRUE(client.was_reset());
}

TEST(ClientConnection, SaysWhenThereIsNoInstance) {
  TestCore core({.queue_deadline = 100ms});
  core.serve({});
  Peer client = core.dial();
  const Peer::Response response = client.ask("GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.head, HasSubstr("Retry-After: "));
  EXPECT_THAT(response.body, StartsWith("{\"status\":503,"));
}

TEST(ClientConnection, MakesRoomByClosingIdleOnesAndThenTurnsAway) {
  TestCore core({.connections = 2});
  FakeUpstream upstream([](Peer& peer, int) { peer.read_all(); });
  core.serve({{"web.1", upstream.port()}});
  Peer idle = core.dial();
  ASSERT_TRUE(eventually([&] { return core.counters().connections.get() == 1; }));
  Peer busy = core.dial();
  busy.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return core.counters().in_flight.get() == 1; }));
  Peer third = core.dial();
  EXPECT_TRUE(idle.ended());
  third.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return core.counters().in_flight.get() == 2; }));
  Peer fourth = core.dial();
  EXPECT_THAT(fourth.read_all(), StartsWith("HTTP/1.1 503 "));
}

TEST(ClientConnection, ServesFilesAndRedirects) {
  const std::string root = folder();
  ASSERT_EQ(::mkdir((root + "/digest").c_str(), 0700), 0);
  const std::string large(3 << 20, 'L');
  std::ofstream(root + "/digest/index.html") << "<p>home";
  std::ofstream(root + "/digest/large.bin") << large;
  model::GatewaySnapshot snapshot;
  snapshot.files_root = root;
  model::PathRule files{.pattern = "/", .prefix = true, .kind = model::TargetKind::kFiles, .files = "digest"};
  model::PathRule redirect{
      .pattern = "/old", .kind = model::TargetKind::kRedirect, .redirect = "https://a.example/new", .status = 301};
  snapshot.routing.routes.push_back({"", {files, redirect}});
  for (runtime::Backend backend : backends()) {
    TestCore core({}, backend);
    core.apply(snapshot);
    Peer client = core.dial();
    const Peer::Response home = client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(home.body, "<p>home");
    EXPECT_THAT(home.head, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
    EXPECT_TRUE(client.ask("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").body == large);
    EXPECT_EQ(client.ask("GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=5-6\r\n\r\n").body, "LL");
    EXPECT_THAT(client.ask("HEAD /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").head,
                HasSubstr("Content-Length: 3145728\r\n"));
    EXPECT_EQ(client.ask("GET /none HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
    EXPECT_EQ(client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy").status, 405);
    const Peer::Response moved = client.ask("GET /old HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(moved.status, 301);
    EXPECT_THAT(moved.head, HasSubstr("Location: https://a.example/new\r\n"));
    const std::string two = client.ask("GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1,4-4\r\n\r\n").body;
    EXPECT_THAT(two, HasSubstr("Content-Range: bytes 0-1/3145728\r\n\r\nLL\r\n--"));
    EXPECT_THAT(two, HasSubstr("Content-Range: bytes 4-4/3145728\r\n\r\nL\r\n--"));
  }
}

TEST(ClientConnection, WritesOneLinePerRequestWithoutItsQuery) {
  const std::string path = folder() + "/access.log";
  FakeUpstream upstream(answer_always("x"));
  {
    TestCore core({}, runtime::Backend::kEpoll, path);
    core.serve({{"web.1", upstream.port()}});
    Peer client = core.dial();
    client.ask("GET /first?token=secret HTTP/1.1\r\nHost: h.example\r\n\r\n");
    client.ask("GET /a?token=secret HTTP/1.1\r\nHost: h.example\r\n\r\n");
  }
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto line = codec::Json::parse(text.substr(text.find("\n") + 1));
  ASSERT_TRUE(line.ok()) << text;
  EXPECT_EQ((*line)["path"].as_string(), "/a");
  EXPECT_EQ((*line)["host"].as_string(), "h.example");
  EXPECT_EQ((*line)["status"].as_integer(), 200);
  EXPECT_EQ((*line)["service"].as_string(), "web");
  EXPECT_EQ((*line)["instance"].as_string(), "web.1");
  EXPECT_EQ((*line)["request"].as_string().size(), 32U);
  EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST(Relay, PassesBytesToAnInstanceThatCanBeReached) {
  FakeUpstream gone(answer_always(""));
  gone.stop_listening();
  FakeUpstream echo([](Peer& peer, int) { peer.write("got " + peer.read_exactly(4)); });
  TestCore core;
  model::GatewaySnapshot snapshot;
  snapshot.routing.addresses["db"] = 1;
  snapshot.endpoints["db"] = {{"db.1", gone.port()}, {"db.2", echo.port()}};
  core.apply(snapshot);
  const uint16_t port = core.listen_for("db");
  for (int i = 0; i < 4; ++i) {
    Peer client = Peer::dial(port);
    client.write("ping");
    EXPECT_EQ(client.read_all(), "got ping");
  }
}

TEST(InternalAddress, BalancesPerRequestWhereTheServiceSpeaksHttp) {
  FakeUpstream one(answer_always("1"));
  FakeUpstream two(answer_always("2"));
  TestCore core;
  core.serve({{"web.1", one.port()}, {"web.2", two.port()}});
  const uint16_t port = core.listen_for("web");
  Peer client = Peer::dial(port);
  std::string answers;
  for (int i = 0; i < 4; ++i) answers += client.ask("GET / HTTP/1.1\r\nHost: web\r\n\r\n").body;
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '1'), 2);
}

}  // namespace
}  // namespace freehold::gateway::test
