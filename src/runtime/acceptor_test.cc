#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

#include "runtime/loop_test_support.h"

namespace freehold::runtime {
namespace {

using std::chrono::milliseconds;

class AcceptorTest : public LoopTest {};
FREEHOLD_BOTH_ENGINES(AcceptorTest);

struct Guests {
  std::vector<os::Fd> fds;
  std::vector<int> errors;
  std::unique_ptr<Acceptor>* to_destroy = nullptr;
  Completion completion() { return complete<&Guests::on_accepted>(this); }
  void on_accepted(int result) {
    if (result >= 0) {
      fds.emplace_back(result);
    } else {
      errors.push_back(result);
    }
    if (to_destroy != nullptr) to_destroy->reset();
  }
};

os::Fd dial(const Listener& listener) {
  os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(socket.get(), listener.general(), sizeof listener.address), 0);
  return socket;
}

TEST_P(AcceptorTest, AcceptsManyAsNonBlockingAndCloseOnExec) {
  const Listener listener;
  Guests guests;
  const Acceptor acceptor(*loop_, listener.socket.get(), guests.completion());
  std::vector<os::Fd> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(dial(listener));
  run_until([&] { return guests.fds.size() == 30; });
  EXPECT_EQ(guests.errors.size(), 0U);
  for (const os::Fd& fd : guests.fds) {
    EXPECT_NE(fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_P(AcceptorTest, IsNotCalledAfterCloseNorAfterDestructionWithinTheHandler) {
  const Listener listener;
  Guests guests;
  auto acceptor = std::make_unique<Acceptor>(*loop_, listener.socket.get(), guests.completion());
  guests.to_destroy = &acceptor;
  const os::Fd first = dial(listener);
  const os::Fd second = dial(listener);
  run_until([&] { return !guests.fds.empty(); });
  for (int i = 0; i < 5; ++i) loop_->run_once(milliseconds(1));
  EXPECT_EQ(guests.fds.size(), 1U);

  Guests others;
  Acceptor closed(*loop_, listener.socket.get(), others.completion());
  loop_->run_once(milliseconds(0));
  const size_t before = others.fds.size();
  closed.close();
  const os::Fd third = dial(listener);
  for (int i = 0; i < 5; ++i) loop_->run_once(milliseconds(1));
  EXPECT_EQ(others.fds.size(), before);
}

TEST_P(AcceptorTest, SharesASocketBetweenTwoLoops) {
  const Listener listener;
  auto second = Loop::create(GetParam());
  ASSERT_TRUE(second);
  constexpr int kClients = 400;
  std::atomic<int> total = 0;
  struct Counter {
    Loop* loop;
    std::atomic<int>* total;
    int own = 0;
    void on_accepted(int result) {
      ASSERT_GE(result, 0);
      close(result);
      ++own;
      ++*total;
    }
  };
  Counter a{loop_.get(), &total};
  Counter b{second->get(), &total};
  auto serve = [&](Counter& counter) {
    const Acceptor acceptor(*counter.loop, listener.socket.get(), complete<&Counter::on_accepted>(&counter));
    counter.loop->run();
  };
  std::thread first_thread([&] { serve(a); });
  std::thread second_thread([&] { serve(b); });
  for (int i = 0; i < kClients; ++i) dial(listener);
  const MonotonicTime deadline = os::system_clock().monotonic() + std::chrono::seconds(20);
  while (total < kClients && os::system_clock().monotonic() < deadline) std::this_thread::yield();
  EXPECT_EQ(total, kClients) << "each connection is accepted by exactly one loop";
  loop_->stop();
  (*second)->stop();
  first_thread.join();
  second_thread.join();
  EXPECT_EQ(a.own + b.own, kClients);
}

// A listening socket that was shut down fails like one for which no descriptor is left, until it listens again. (To let
// the descriptors run out is no way here: the sanitizer needs some for its own checks.)
TEST_P(AcceptorTest, PausesWhenAcceptingFailsAndGoesOn) {
  Listener listener;
  Guests guests;
  const Acceptor acceptor(*loop_, listener.socket.get(), guests.completion());
  loop_->run_once(milliseconds(0));
  ASSERT_EQ(shutdown(listener.socket.get(), SHUT_RD), 0);
  run_until([&] { return !guests.errors.empty(); });
  EXPECT_EQ(guests.errors.at(0), -EINVAL);
  // Within the pause nothing is tried again: the loop does not spin.
  loop_->run_once(milliseconds(0));
  loop_->run_once(milliseconds(0));
  EXPECT_EQ(guests.errors.size(), 1U);
  listener.listen();
  const os::Fd client = dial(listener);
  run_until([&] { return !guests.fds.empty(); });
  EXPECT_EQ(guests.fds.size(), 1U);
}

class WatcherTest : public LoopTest {};
FREEHOLD_BOTH_ENGINES(WatcherTest);

struct Pipe {
  os::Fd read_end;
  os::Fd write_end;
  Pipe() {
    std::array<int, 2> fds{};
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_end.reset(fds[0]);
    write_end.reset(fds[1]);
  }
};

TEST_P(WatcherTest, IsCalledEachTurnWhileReadable) {
  const Pipe pipe;
  Outcome ready;
  const Watcher watcher(*loop_, pipe.read_end.get(), ready.completion());
  loop_->run_once(milliseconds(0));
  EXPECT_EQ(ready.calls, 0);
  ASSERT_EQ(write(pipe.write_end.get(), "ab", 2), 2);
  run_until([&] { return ready.calls == 3; });
  EXPECT_EQ(ready.result, 0);
  std::array<char, 8> buffer{};
  ASSERT_EQ(read(pipe.read_end.get(), buffer.data(), buffer.size()), 2);
  loop_->run_once(milliseconds(1));  // what the kernel had reported already
  const int calls = ready.calls;
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(1));
  EXPECT_EQ(ready.calls, calls);
  ASSERT_EQ(write(pipe.write_end.get(), "c", 1), 1);
  run_until([&] { return ready.calls > calls; });
}

TEST_P(WatcherTest, WaitsForWhatItIsToldTo) {
  auto [ours, theirs] = unix_pair();
  Outcome ready;
  Watcher watcher(*loop_, ours.get(), ready.completion());
  loop_->run_once(milliseconds(1));
  EXPECT_EQ(ready.calls, 0);
  watcher.set_interest(Interest::kBoth);
  run_until_called(ready);
  watcher.set_interest(Interest::kRead);
  loop_->run_once(milliseconds(1));
  const int calls = ready.calls;
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(1));
  EXPECT_EQ(ready.calls, calls);
  ASSERT_EQ(write(theirs.get(), "x", 1), 1);
  run_until([&] { return ready.calls > calls; });
}

struct SelfDestroying {
  std::unique_ptr<Watcher> watcher;
  int calls = 0;
  void on_ready(int) {
    ++calls;
    watcher.reset();
  }
};

TEST_P(WatcherTest, MayBeDestroyedWithinItsHandler) {
  const Pipe pipe;
  ASSERT_EQ(write(pipe.write_end.get(), "ab", 2), 2);
  SelfDestroying owner;
  owner.watcher = std::make_unique<Watcher>(*loop_, pipe.read_end.get(), complete<&SelfDestroying::on_ready>(&owner));
  run_until([&] { return owner.calls > 0; });
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(1));
  EXPECT_EQ(owner.calls, 1);
}

TEST_P(WatcherTest, MayBeDestroyedWhileWaitingAndWhileItsCallIsDue) {
  struct Rival {
    std::unique_ptr<Watcher> watcher;
    std::unique_ptr<Watcher>* other = nullptr;
    int calls = 0;
    void on_ready(int) {
      ++calls;
      other->reset();
    }
  };
  const Pipe first_pipe;
  const Pipe second_pipe;
  Outcome never;
  auto waiting = std::make_unique<Watcher>(*loop_, first_pipe.read_end.get(), never.completion());
  loop_->run_once(milliseconds(0));
  waiting.reset();
  Rival first;
  Rival second;
  first.watcher = std::make_unique<Watcher>(*loop_, first_pipe.read_end.get(), complete<&Rival::on_ready>(&first));
  second.watcher = std::make_unique<Watcher>(*loop_, second_pipe.read_end.get(), complete<&Rival::on_ready>(&second));
  first.other = &second.watcher;
  second.other = &first.watcher;
  loop_->run_once(milliseconds(0));
  // Both become ready in the same turn: whichever comes first destroys the other.
  ASSERT_EQ(write(first_pipe.write_end.get(), "x", 1), 1);
  ASSERT_EQ(write(second_pipe.write_end.get(), "x", 1), 1);
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(1));
  EXPECT_GT(first.calls + second.calls, 0);
  EXPECT_EQ(std::min(first.calls, second.calls), 0);
  EXPECT_EQ(never.calls, 0);
}

TEST_P(WatcherTest, SaysThatAFileCannotBeWatched) {
  const os::Fd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file);
  Outcome ready;
  const Watcher watcher(*loop_, file.get(), ready.completion());
  run_until_called(ready);
  EXPECT_EQ(ready.result, -EPERM);
  loop_->run_once(milliseconds(1));
  EXPECT_EQ(ready.calls, 1);
}

}  // namespace
}  // namespace freehold::runtime
