#include "http/fetch.h"

#include <optional>

#include "http/server_test_support.h"

namespace freehold::http {
namespace {

using namespace std::chrono_literals;

class FetchTest : public ServerTest {
 protected:
  void SetUp() override {
    start();
    fetching_ = *runtime::Loop::create(runtime::Backend::kAutomatic);
  }

  Result<ClientResponse> fetch(FetchOptions options) {
    std::optional<Result<ClientResponse>> result;
    auto fetch = std::make_unique<Fetch>(*fetching_, std::move(options), [&](Result<ClientResponse> answer) {
      result = std::move(answer);
      fetch_.reset();  // as an owner does that is done with it
    });
    EXPECT_FALSE(result) << "called from inside the constructor";
    fetch_ = std::move(fetch);
    while (!result) fetching_->run_once(1s);
    for (int i = 0; i < 3; ++i) fetching_->run_once(Duration::zero());
    return *std::move(result);
  }

  std::unique_ptr<runtime::Loop> fetching_;
  std::unique_ptr<Fetch> fetch_;
};

TEST_F(FetchTest, GetsAnAnswer) {
  auto answer = fetch({.address = tcp_, .request = {.target = "/x"}});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello\n");
  answer = fetch({.address = unix_address(), .request = {.method = "POST", .target = "/echo", .body = "abc"}});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, "abc");
}

TEST_F(FetchTest, KeepsTheBeginningOfALongBody) {
  auto answer = fetch({.address = tcp_, .request = {.target = "/lines"}, .most_body = 100});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body.size(), 100U);
}

TEST_F(FetchTest, EndsAtItsDeadline) {
  auto answer = fetch({.address = tcp_, .request = {.target = "/never"}, .deadline = 20ms});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kTimeout);
}

TEST_F(FetchTest, SaysThatNobodyListens) {
  net::SocketAddress nobody;
  {
    os::Fd listening = *net::listen_tcp(net::SocketAddress::loopback(0));
    nobody = *net::SocketAddress::local_of(listening.get());
  }
  auto answer = fetch({.address = nobody});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  answer = fetch({.address = tcp_, .request = {.target = "no path"}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kInvalid);
}

TEST_F(FetchTest, CallsNobodyAfterItIsDestroyed) {
  bool called = false;
  for (int turns = 0; turns < 4; ++turns) {
    Fetch fetch(*fetching_, {.address = tcp_, .request = {.target = "/follow"}}, [&](const auto&) { called = true; });
    for (int i = 0; i < turns; ++i) fetching_->run_once(100ms);
  }
  for (int i = 0; i < 3; ++i) fetching_->run_once(Duration::zero());
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace freehold::http
