// What the tests of both engines share: a fixture that makes the loop, pairs of sockets, a completion that remembers.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::runtime {

// Counts its calls and keeps the last result.
struct Outcome {
  int calls = 0;
  int result = 0;
  Completion completion() { return complete<&Outcome::on_done>(this); }
  void on_done(int value) {
    ++calls;
    result = value;
  }
};

struct SocketPair {
  os::Fd ours;    // non-blocking
  os::Fd theirs;  // blocking
};

inline SocketPair unix_pair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()), 0);
  return {os::Fd(fds[0]), os::Fd(fds[1])};
}

// Non-blocking, on a free port of loopback.
struct Listener {
  os::Fd socket;
  sockaddr_in address{};
  Listener() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket.get(), general(), sizeof address), 0);
    listen();
  }
  void listen() {
    socklen_t length = sizeof address;
    EXPECT_EQ(::listen(socket.get(), 1024), 0);
    EXPECT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  }
  const sockaddr* general() const { return reinterpret_cast<const sockaddr*>(&address); }
};

inline SocketPair tcp_pair() {
  const Listener listener;
  os::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(client.get(), listener.general(), sizeof listener.address), 0);
  os::Fd accepted(accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  EXPECT_TRUE(accepted);
  const int on = 1;  // or small answers in two parts would wait for acknowledgements
  setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {std::move(accepted), std::move(client)};
}

class LoopTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    auto loop = Loop::create(GetParam());
    if (!loop && GetParam() == Backend::kUring && loop.error().code() == ErrorCode::kUnsupported) {
      GTEST_SKIP() << loop.error().message();
    }
    ASSERT_TRUE(loop) << loop.error().message();
    loop_ = *std::move(loop);
  }

  // Turns the loop until `holds()`; a condition that never comes fails the test instead of hanging it.
  template <class Condition>
  bool run_until(Condition holds) {
    const MonotonicTime deadline = os::system_clock().monotonic() + std::chrono::seconds(20);
    while (!holds()) {
      if (os::system_clock().monotonic() > deadline) {
        ADD_FAILURE() << "the awaited condition did not come";
        return false;
      }
      loop_->run_once(std::chrono::seconds(1));
    }
    return true;
  }
  bool run_until_called(const Outcome& outcome) {
    return run_until([&] { return outcome.calls > 0; });
  }

  std::unique_ptr<Loop> loop_;
};

inline std::string backend_name(const testing::TestParamInfo<Backend>& info) {
  return info.param == Backend::kUring ? "Uring" : "Epoll";
}

#define FREEHOLD_BOTH_ENGINES(suite) \
  INSTANTIATE_TEST_SUITE_P(Engine, suite, testing::Values(Backend::kEpoll, Backend::kUring), backend_name)

}  // namespace freehold::runtime
