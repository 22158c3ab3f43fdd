#include "http/server.h"

#include <thread>

#include "http/server_test_support.h"

namespace freehold::http {
namespace {

using namespace std::chrono_literals;

TEST_F(ServerTest, AnswersManyRequestsOnOneConnection) {
  start();
  os::Fd socket = connect();
  for (int i = 0; i < 3; ++i) {
    send(socket, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string answer = receive(socket, "hello\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer;
    EXPECT_NE(answer.find("\r\nContent-Length: 6\r\n"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("Connection"), std::string::npos) << answer;
  }
  EXPECT_EQ(handler_.requests, 3);
}

TEST_F(ServerTest, AnswersWhatIsPipelinedInOrder) {
  start();
  os::Fd socket = connect();
  std::string all;
  for (int i = 0; i < 200; ++i) {
    std::string body = std::to_string(i) + ";";
    all += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  send(socket, all + "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string answers = receive(socket);
  size_t at = 0;
  for (int i = 0; i < 200; ++i) {
    at = answers.find("\r\n\r\n" + std::to_string(i) + ";", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(answers.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answers.ends_with("hello\n"));
}

TEST_F(ServerTest, HidesTheBodyFromHead) {
  start();
  os::Fd socket = connect();
  send(socket, "HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string answer = receive(socket);
  EXPECT_NE(answer.find("Content-Length: 6\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(ServerTest, SendsNoLengthWithNoContent) {
  start();
  os::Fd socket = connect();
  send(socket, "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string answer = receive(socket);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 204 No Content\r\n")) << answer;
  EXPECT_EQ(answer.find("Content-Length"), std::string::npos) << answer;
}

TEST_F(ServerTest, TellsAClientToGoOnWhenItsBodyIsWanted) {
  start();
  os::Fd socket = connect();
  send(socket, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(receive(socket, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  send(socket, "abc");
  EXPECT_TRUE(receive(socket, "abc").ends_with("\r\n\r\nabc"));
}

TEST_F(ServerTest, RefusesALongBodyBeforeItIsSent) {
  start();
  os::Fd socket = connect();
  send(socket, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  std::string answer = receive(socket);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, RefusesAChunkedBodyThatGrowsTooLong) {
  start();
  os::Fd socket = connect();
  send(socket, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'));
  EXPECT_TRUE(receive(socket).starts_with("HTTP/1.1 413 "));
}

TEST_F(ServerTest, AnswersWhatIsMalformedAndCloses) {
  start();
  for (auto [request, status] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"GET / HTTP/1.1\r\n\r\n", "400"},
           {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "400"},
           {"\x16\x03\x01", "400"},
           {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", "505"},
           {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"}}) {
    os::Fd socket = connect();
    send(socket, request);
    std::string answer = receive(socket);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::string(status))) << request << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  }
}

TEST_F(ServerTest, GivesAStreamedBodyToItsSink) {
  start();
  auto answer =
      client().upload({.method = "PUT", .target = "/upload"}, {.producer = [n = 0]() mutable -> Result<std::string> {
                        return n++ < 300 ? std::string(10007, 'x') : std::string();
                      }});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, std::to_string(300 * 10007) + "\n");
  EXPECT_EQ(handler_.failures, 0);
}

TEST_F(ServerTest, LetsASinkStopABody) {
  start();
  auto answer = client().call({.method = "PUT", .target = "/full", .body = std::string(10 << 20, 'x')});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 507);
  EXPECT_EQ(answer->body, "the disk is full\n");
  EXPECT_EQ(handler_.failures, 1);
}

TEST_F(ServerTest, TellsTheSinkWhenTheClientLeavesWithinTheBody) {
  start();
  {
    os::Fd socket = connect();
    send(socket, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    wait_for([&] { return handler_.requests == 1; });
  }
  wait_for([&] { return handler_.failures == 1; });
}

TEST_F(ServerTest, LetsGoOfASinkWhoseRequestIsAnswered) {
  start();
  os::Fd socket = connect();
  send(socket, "PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  EXPECT_TRUE(receive(socket).ends_with("too early to tell\n"));
  socket.reset();
  stop(1s);
  EXPECT_TRUE(handler_.early.expired()) << "sink and exchange hold each other";
  EXPECT_EQ(handler_.failures, 0);
}

TEST_F(ServerTest, LetsASinkEndTheConnection) {
  start();
  os::Fd socket = connect();
  send(socket, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabort");
  EXPECT_EQ(receive(socket), "");
  wait_for([&] { return handler_.failures == 1; });
}

TEST_F(ServerTest, StreamsNoFasterThanTheClientReads) {
  start();
  std::string all;
  auto answer = client().stream({.target = "/lines"}, [&](std::string_view data) -> Result<void> {
    all += data;
    return {};
  });
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->field("content-type"), "application/x-ndjson");
  std::string expected;
  for (int i = 0; i < ShowingHandler::kLines; ++i) expected += ShowingHandler::line(i);
  EXPECT_TRUE(all == expected) << all.size() << " bytes instead of " << expected.size();
}

TEST_F(ServerTest, TellsWhenTheReaderOfAStreamLeaves) {
  start();
  {
    os::Fd socket = connect();
    send(socket, "GET /follow HTTP/1.1\r\nHost: a\r\n\r\n");
    receive(socket, "first\n\r\n");
  }
  wait_for([&] { return handler_.gone == 1; });
}

TEST_F(ServerTest, EndsAStreamToAnOldClientWithTheConnection) {
  start();
  os::Fd socket = connect();
  send(socket, "GET /lines HTTP/1.0\r\n\r\n");
  std::string answer = receive(socket);
  EXPECT_EQ(answer.find("Transfer-Encoding"), std::string::npos);
  EXPECT_TRUE(answer.ends_with(ShowingHandler::line(ShowingHandler::kLines - 1)));
}

TEST_F(ServerTest, KnowsWhoAsks) {
  start();
  auto answer = client().call({.target = "/peer"});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, std::to_string(getpid()) + "\n");
  answer = BlockingClient(tcp_, {}).call({.target = "/peer"});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(answer->body.starts_with("127.0.0.1:")) << answer->body;
}

TEST_F(ServerTest, LetsNoValueEndItsLine) {
  start();
  auto answer = client().call({.target = "/inject"});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->field("x-value"), "a??X-Evil: b");
  EXPECT_EQ(answer->field("x-evil"), "");
}

TEST_F(ServerTest, AnswersAClientThatEndedItsSide) {
  start();
  os::Fd socket = connect();
  send(socket, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  shutdown(socket.get(), SHUT_WR);
  EXPECT_TRUE(receive(socket).ends_with("hello\n"));
}

TEST_F(ServerTest, EndsConnectionsThatAreSlow) {
  ServerLimits limits;
  limits.idle_time = limits.head_time = limits.body_time = 30ms;
  start(limits);
  os::Fd idle = connect();
  EXPECT_EQ(receive(idle), "");
  os::Fd head = connect();
  send(head, "GET / HTT");
  EXPECT_TRUE(receive(head).starts_with("HTTP/1.1 408 "));
  os::Fd body = connect();
  send(body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_TRUE(receive(body).starts_with("HTTP/1.1 408 "));
}

TEST_F(ServerTest, EndsClientsThatDoNotRead) {
  ServerLimits limits;
  limits.send_time = 30ms;
  start(limits);
  os::Fd socket = connect();
  send(socket, "GET /lines HTTP/1.1\r\nHost: a\r\n\r\n");
  wait_for([&] { return handler_.requests == 1; });
  size_t left = 1;
  wait_for([&] {
    std::atomic<bool> asked = false;
    loop_->post([&] {
      left = server_->connections();
      asked = true;
    });
    while (!asked) sched_yield();
    return left == 0;
  });
}

TEST_F(ServerTest, TurnsAwayMoreConnectionsThanItMayHave) {
  ServerLimits limits;
  limits.connections = 1;
  start(limits);
  os::Fd first = connect();
  send(first, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  receive(first, "hello\n");
  EXPECT_TRUE(receive(connect()).starts_with("HTTP/1.1 503 "));
}

TEST_F(ServerTest, StopsGracefully) {
  start();
  os::Fd idle = connect();
  os::Fd streaming = connect();
  send(streaming, "GET /follow HTTP/1.1\r\nHost: a\r\n\r\n");
  receive(streaming, "first\n\r\n");
  os::Fd uploading = connect();
  send(uploading, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  wait_for([&] { return handler_.requests == 2; });
  std::thread stopper([&] { stop(10s); });
  EXPECT_EQ(receive(idle), "");
  EXPECT_EQ(receive(streaming), "0\r\n\r\n") << "well-formed to its end";
  EXPECT_EQ(handler_.gone, 1);
  send(uploading, "def");
  std::string answer = receive(uploading);
  EXPECT_TRUE(answer.ends_with("abcdef")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  uploading.reset();
  streaming.reset();
  stopper.join();
}

TEST_F(ServerTest, StopsInTimeWhateverItsHandlersDo) {
  start();
  os::Fd socket = connect();
  send(socket, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  wait_for([&] { return handler_.requests == 1; });
  stop(20ms);
  EXPECT_EQ(receive(socket), "");
}

}  // namespace
}  // namespace freehold::http
