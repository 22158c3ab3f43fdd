#include "http/blocking_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <thread>

#include "http/server_test_support.h"

namespace freehold::http {
namespace {

using namespace std::chrono_literals;
using BlockingClientTest = ServerTest;

// A server that says one thing to one client.
class Speaker {
 public:
  explicit Speaker(std::string says) : listening_(*net::listen_tcp(net::SocketAddress::loopback(0))) {
    address = *net::SocketAddress::local_of(listening_.get());
    thread_ = std::thread([this, text = std::move(says)] {
      pollfd waiting{listening_.get(), POLLIN, 0};
      poll(&waiting, 1, 20000);
      os::Fd socket(accept(listening_.get(), nullptr, nullptr));
      char buffer[4096];
      [[maybe_unused]] ssize_t got = recv(socket.get(), buffer, sizeof buffer, 0);
      [[maybe_unused]] ssize_t sent = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    });
  }
  ~Speaker() { thread_.join(); }
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  net::SocketAddress address;

 private:
  os::Fd listening_;
  std::thread thread_;
};

Result<ClientResponse> ask(std::string says, const ClientLimits& limits = {}) {
  Speaker speaker(std::move(says));
  return BlockingClient(speaker.address, limits).call({});
}

TEST_F(BlockingClientTest, SaysThatNothingAnswers) {
  const std::string path = folder_ / "none";
  auto answer = BlockingClient(*net::SocketAddress::unix_path(path), {}).call({});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(answer.error().message().starts_with("nothing answers at " + path)) << answer.error().message();
}

TEST(BlockingClient, LooksAfterOtherThingsWhileItWaitsAndEndsWhenTheySaySo) {
  const os::Fd silent(*net::listen_tcp(net::SocketAddress::loopback(0)));  // connects, and never answers
  const os::Fd bell(eventfd(0, EFD_CLOEXEC));
  BlockingClient waiting(*net::SocketAddress::local_of(silent.get()), {.silence = Duration::zero()});
  int calls = 0;
  waiting.attend({.descriptor = bell.get(), .rhythm = {}, .call = [&]() -> Result<void> {
                    // Once before the request is sent, once before the answer is awaited, once when the bell has rung.
                    if (++calls == 2) eventfd_write(bell.get(), 1);
                    if (calls == 3) return Error(ErrorCode::kCancelled, "enough");
                    return {};
                  }});
  auto answer = waiting.call({});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(calls, 3);
}

TEST(BlockingClient, LooksAfterThemInARhythmToo) {
  const os::Fd silent(*net::listen_tcp(net::SocketAddress::loopback(0)));
  BlockingClient waiting(*net::SocketAddress::local_of(silent.get()), {.silence = Duration::zero()});
  int calls = 0;
  waiting.attend({.descriptor = -1, .rhythm = 1ms, .call = [&]() -> Result<void> {
                    if (++calls == 10) return Error(ErrorCode::kCancelled, "enough");
                    return {};
                  }});
  EXPECT_EQ(waiting.call({}).error().code(), ErrorCode::kCancelled);
}

TEST_F(BlockingClientTest, SendsBodiesFromMemoryAndFiles) {
  start();
  auto answer = client().call({.method = "POST", .target = "/echo", .body = "some text"});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, "some text");

  const os::Fd file(memfd_create("body", MFD_CLOEXEC));
  const std::string bytes(3'000'000, 'x');
  ASSERT_EQ(write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  lseek(file.get(), 0, SEEK_SET);
  answer = client().upload({.method = "PUT", .target = "/upload"}, {.file = file.get(), .length = bytes.size()});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, "3000000\n");
  lseek(file.get(), 0, SEEK_SET);
  answer = client().upload({.method = "PUT", .target = "/upload"}, {.file = file.get(), .length = bytes.size() + 1});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kConflict);
}

TEST_F(BlockingClientTest, StopsAStreamWhenItsReaderHasEnough) {
  start();
  int pieces = 0;
  auto answer = client().stream({.target = "/lines"}, [&](std::string_view) -> Result<void> {
    if (++pieces == 3) return Error(ErrorCode::kCancelled, "enough");
    return {};
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(pieces, 3);
}

TEST_F(BlockingClientTest, GivesUpOnSilence) {
  start();
  ClientLimits limits;
  limits.silence = 20ms;
  auto answer = BlockingClient(unix_address(), limits).call({.target = "/never"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kTimeout);
}

TEST_F(BlockingClientTest, BoundsWhatItCollects) {
  start();
  ClientLimits limits;
  limits.most_body = 1000;
  auto answer = BlockingClient(unix_address(), limits).call({.target = "/lines"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kExhausted);
}

TEST_F(BlockingClientTest, RefusesWhatItCouldNotAsk) {
  for (const ClientRequest& request :
       {ClientRequest{.target = "/a b"}, ClientRequest{.target = "a"}, ClientRequest{.target = "/a\r\nX: b"},
        ClientRequest{.method = "GE T"}, ClientRequest{.method = ""}, ClientRequest{.host = "a b"}}) {
    auto answer = client().call(request);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::kInvalid);
  }
}

TEST(BlockingClient, ReadsAnswersOfEveryFraming) {
  for (std::string_view says :
       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"}) {
    auto answer = ask(std::string(says));
    ASSERT_TRUE(answer) << says << answer.error().message();
    EXPECT_EQ(answer->body, "ok") << says;
  }
}

TEST(BlockingClient, SaysWhatIsWrongWithAnAnswer) {
  for (std::string_view says :
       {"hello\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok", "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    auto answer = ask(std::string(says));
    ASSERT_FALSE(answer) << says;
    EXPECT_EQ(answer.error().code(), ErrorCode::kCorrupt) << says << answer.error().message();
  }
  auto answer = ask("");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(ask(interim).error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace freehold::http
