// Against a name server that lives in the test and answers as it is told.
#include "net/resolve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "net/fake_name_server.h"
#include "runtime/loop_test_support.h"

namespace freehold::net {
namespace {

using runtime::Backend;
using runtime::backend_name;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ResolverTest : public runtime::LoopTest {
 protected:
  struct Answer {
    int calls = 0;
    std::vector<std::string> addresses;
    ErrorCode error = ErrorCode::kInternal;
  };

  void SetUp() override {
    LoopTest::SetUp();
    if (loop_) open(*loop_);
  }
  void TearDown() override {
    resolver_.reset();
    server_.reset();
  }
  void open(runtime::Loop& loop) {
    server_ = std::make_unique<FakeNameServer>(loop);
    options_.servers = server_->address();
    options_.timeout = milliseconds(100);
    options_.tries = 2;
    auto resolver = Resolver::create(loop, options_);
    ASSERT_TRUE(resolver) << resolver.error().message();
    resolver_ = *std::move(resolver);
  }
  Resolver::Id ask(std::string_view name, Answer& answer) {
    return resolver_->resolve(name, 80, [&answer](Result<Resolver::Addresses> result) {
      ++answer.calls;
      answer.addresses.clear();
      if (!result) {
        answer.error = result.error().code();
        return;
      }
      for (const SocketAddress& address : *result) answer.addresses.push_back(address.to_string());
      std::ranges::sort(answer.addresses);
    });
  }
  Answer wait_for(std::string_view name) {
    Answer answer;
    ask(name, answer);
    EXPECT_EQ(answer.calls, 0) << "a handler was called within resolve()";
    run_until([&] { return answer.calls > 0; });
    return answer;
  }

  ResolverOptions options_;
  std::unique_ptr<FakeNameServer> server_;
  std::unique_ptr<Resolver> resolver_;
};
FREEHOLD_BOTH_ENGINES(ResolverTest);

using Texts = std::vector<std::string>;

std::string ipv4(char last) { return std::string({10, 0, 0, last}); }

TEST_P(ResolverTest, GivesIpv4AndIpv6Addresses) {
  server_->zones["web.test"] = {{ipv4(1), ipv4(2)}, {std::string(15, '\0') + '\1'}};
  EXPECT_EQ(wait_for("Web.TEST").addresses, (Texts{"10.0.0.1:80", "10.0.0.2:80", "[::1]:80"}));
}

TEST_P(ResolverTest, AnswersNumbersAndHostsWithoutAskingAnybody) {
  EXPECT_EQ(wait_for("192.0.2.7").addresses, Texts{"192.0.2.7:80"});
  EXPECT_EQ(wait_for("2001:db8::1").addresses, Texts{"[2001:db8::1]:80"});
  const Texts local = wait_for("localhost").addresses;
  EXPECT_TRUE(std::ranges::find(local, "127.0.0.1:80") != local.end());
  EXPECT_TRUE(server_->asked.empty());
}

TEST_P(ResolverTest, SaysThatANameDoesNotExistAndRemembersItForAMoment) {
  EXPECT_EQ(wait_for("nowhere.test").error, ErrorCode::kNotFound);
  const int asked = server_->asked["nowhere.test"];
  EXPECT_EQ(wait_for("nowhere.test").error, ErrorCode::kNotFound);
  EXPECT_EQ(server_->asked["nowhere.test"], asked);
  server_->zones["empty.test"] = {};
  EXPECT_EQ(wait_for("empty.test").error, ErrorCode::kNotFound);
}

TEST_P(ResolverTest, RefusesWhatIsNoName) {
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a..b"), std::string(".a"), std::string(254, 'a'),
        std::string("a\0b", 3), std::string("a/b"), std::string("[::1")}) {
    EXPECT_EQ(wait_for(name).error, ErrorCode::kInvalid) << name;
  }
  EXPECT_TRUE(server_->asked.empty());
}

TEST_P(ResolverTest, GivesUpOnASilentServer) {
  server_->zones["silent.test"].silent = true;
  const MonotonicTime begin = os::system_clock().monotonic();
  EXPECT_EQ(wait_for("silent.test").error, ErrorCode::kTimeout);
  EXPECT_GE(os::system_clock().monotonic() - begin, milliseconds(200));
  EXPECT_GE(server_->asked["silent.test"], 2);
}

TEST_P(ResolverTest, AsksOnceForQuestionsAtTheSameTime) {
  server_->zones["web.test"] = {{ipv4(1)}, {}};
  std::array<Answer, 5> answers;
  for (Answer& answer : answers) ask("web.test", answer);
  run_until([&] { return std::ranges::all_of(answers, [](const Answer& each) { return each.calls == 1; }); });
  EXPECT_EQ(server_->asked["web.test"], 2);
}

TEST_P(ResolverTest, DoesNotCallACancelledHandler) {
  server_->zones["web.test"] = {{ipv4(1)}, {}};
  Answer cancelled;
  Answer cancelled_late;
  Answer kept;
  const auto first = ask("web.test", cancelled);
  ask("web.test", kept);
  const auto numeric = ask("192.0.2.1", cancelled_late);
  resolver_->cancel(first);
  resolver_->cancel(numeric);
  run_until([&] { return kept.calls > 0; });
  EXPECT_EQ(cancelled.calls + cancelled_late.calls, 0);
}

TEST_P(ResolverTest, MayBeDestroyedWithinAHandlerOrWhileAsking) {
  server_->zones["silent.test"].silent = true;
  Answer never;
  ask("silent.test", never);
  int calls = 0;
  for (int i = 0; i < 2; ++i) {
    resolver_->resolve("192.0.2.1", 1, [&](const Result<Resolver::Addresses>&) {
      ++calls;
      resolver_.reset();
    });
  }
  run_until([&] { return calls > 0; });
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(1));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(never.calls, 0);
}

TEST_P(ResolverTest, HoldsItsLimits) {
  options_.most_addresses = 3;
  options_.most_names = 4;
  options_.most_waiting = 2;
  options_.servers = server_->address();
  resolver_ = *Resolver::create(*loop_, options_);
  server_->zones["many.test"] = {};
  for (char i = 0; i < 20; ++i) server_->zones["many.test"].ipv4.push_back(ipv4(i));
  EXPECT_EQ(wait_for("many.test").addresses.size(), 3U);
  for (int i = 0; i < 10; ++i) {
    const std::string name = "n" + std::to_string(i) + ".test";
    server_->zones[name] = {{ipv4(1)}, {}};
    EXPECT_EQ(wait_for(name).addresses.size(), 1U);
  }
  std::array<Answer, 3> answers;
  for (Answer& answer : answers) ask("many.test", answer);
  run_until([&] { return std::ranges::all_of(answers, [](const Answer& each) { return each.calls == 1; }); });
  EXPECT_EQ(answers[1].addresses.size(), 3U);
  EXPECT_EQ(answers[2].error, ErrorCode::kExhausted);
  EXPECT_EQ(wait_for("many.test").addresses.size(), 3U);
}

// Time-to-live, under a clock that the test moves.
TEST_P(ResolverTest, KeepsAnswersForTheirTtlWithinBounds) {
  os::FakeClock clock;
  TearDown();
  loop_ = *runtime::Loop::create(GetParam(), clock);
  open(*loop_);
  struct Case {
    uint32_t ttl_s;
    Duration fresh;
    Duration stale;
  };
  for (const Case& each : {Case{60, seconds(59), seconds(61)}, Case{0, seconds(4), seconds(6)},
                           Case{100'000, minutes(5) - seconds(1), minutes(5) + seconds(1)}}) {
    const std::string name = "ttl" + std::to_string(each.ttl_s) + ".test";
    server_->zones[name] = {{ipv4(1)}, {}, each.ttl_s};
    EXPECT_EQ(wait_for(name).addresses, Texts{"10.0.0.1:80"});
    server_->zones[name] = {{ipv4(2)}, {}, each.ttl_s};
    clock.advance(each.fresh);
    EXPECT_EQ(wait_for(name).addresses, Texts{"10.0.0.1:80"});
    clock.advance(each.stale - each.fresh);
    EXPECT_EQ(wait_for(name).addresses, Texts{"10.0.0.2:80"});
  }
  TearDown();
  loop_.reset();  // before the clock
}

}  // namespace
}  // namespace freehold::net
