#include <sys/resource.h>

#include <thread>

#include "runtime/loop_test_support.h"

namespace freehold::runtime {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class LoopBasicsTest : public LoopTest {};
FREEHOLD_BOTH_ENGINES(LoopBasicsTest);

TEST_P(LoopBasicsTest, RunsPostedTasksInOrderOnItsOwnThread) {
  std::vector<int> order;
  std::thread::id ran_on;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) loop_->post([&order, i] { order.push_back(i); });
    loop_->post([&] {
      ran_on = std::this_thread::get_id();
      loop_->stop();
    });
  });
  loop_->run();
  poster.join();
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST_P(LoopBasicsTest, RunsTasksPostedByTasks) {
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth == 5) return loop_->stop();
    loop_->post(again);
  };
  loop_->post(again);
  loop_->run();
  EXPECT_EQ(depth, 5);
}

TEST_P(LoopBasicsTest, StopsFromAnotherThreadAndCanRunAgain) {
  for (int i = 0; i < 2; ++i) {
    std::thread stopper([&] { loop_->stop(); });
    loop_->run();
    stopper.join();
  }
  loop_->stop();
  loop_->run();  // a stop that came first is not lost
}

TEST_P(LoopBasicsTest, SleepsWithoutATurnWhenIdle) {
  // A connection, a watcher and a far timer are all there, and none has anything to do.
  auto [ours, theirs] = unix_pair();
  Stream stream(*loop_, std::move(ours));
  Outcome received;
  std::array<char, 8> buffer{};
  stream.receive(buffer, received.completion());
  Outcome expired;
  Timer timer(*loop_, expired.completion());
  timer.start(hours(1));
  loop_->run_once(milliseconds(0));
  rusage before{};
  rusage after{};
  getrusage(RUSAGE_THREAD, &before);
  const MonotonicTime begin = os::system_clock().monotonic();
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(200));
    loop_->stop();
  });
  loop_->run();
  stopper.join();
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_GE(os::system_clock().monotonic() - begin, milliseconds(200));
  // One wait, and a few switches for the thread's start and end: a tick or a busy loop would show hundreds.
  EXPECT_LE(after.ru_nvcsw - before.ru_nvcsw, 8);
  const auto used = std::chrono::seconds(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                    microseconds(after.ru_utime.tv_usec - before.ru_utime.tv_usec);
  EXPECT_LT(used, milliseconds(50));
  stream.close();
  run_until([&] { return stream.idle(); });
}

TEST_P(LoopBasicsTest, WaitsAsLongAsItIsToldTo) {
  // A signal may end a wait early (the kernel's cleaning up after another ring does), but not again and again.
  const MonotonicTime end = os::system_clock().monotonic() + milliseconds(30);
  int turns = 0;
  for (; os::system_clock().monotonic() < end; ++turns) loop_->run_once(end - os::system_clock().monotonic());
  EXPECT_LE(turns, 4);
}

TEST(LoopTest, UsesEpollUnlessToldOtherwise) {
  unsetenv("FREEHOLD_IO");
  auto loop = Loop::create(Backend::kAutomatic);
  ASSERT_TRUE(loop);
  EXPECT_EQ((*loop)->backend(), Backend::kEpoll);
}

class TimerTest : public LoopTest {
 protected:
  void wait(Duration duration) {
    const MonotonicTime end = os::system_clock().monotonic() + duration;
    while (os::system_clock().monotonic() < end) loop_->run_once(end - os::system_clock().monotonic());
  }
};
FREEHOLD_BOTH_ENGINES(TimerTest);

TEST_P(TimerTest, IsNeverEarlyAndHardlyLate) {
  for (const int tenths : {0, 1, 3, 10, 37, 150}) {
    Outcome expired;
    Timer timer(*loop_, expired.completion());
    const MonotonicTime begin = os::system_clock().monotonic();
    timer.start(microseconds(tenths * 100));
    run_until_called(expired);
    const Duration took = os::system_clock().monotonic() - begin;
    EXPECT_GE(took, microseconds(tenths * 100));
    EXPECT_LT(took, microseconds(tenths * 100) + milliseconds(200));  // a busy machine, not the wheel
    EXPECT_FALSE(timer.armed());
  }
}

TEST_P(TimerTest, CountsFromTheCallEvenIfTheLoopHasNotTurnedForLong) {
  std::this_thread::sleep_for(milliseconds(30));
  Outcome expired;
  Timer timer(*loop_, expired.completion());
  const MonotonicTime begin = os::system_clock().monotonic();
  timer.start(milliseconds(20));
  run_until_called(expired);
  EXPECT_GE(os::system_clock().monotonic() - begin, milliseconds(20));
}

TEST_P(TimerTest, WakesAtTheEarliestOfManyWhileOthersAreMoved) {
  Outcome never;
  Outcome soon;
  Timer far(*loop_, never.completion());
  Timer cancelled(*loop_, never.completion());
  Timer near(*loop_, soon.completion());
  far.start(milliseconds(5));
  cancelled.start(milliseconds(5));
  near.start(hours(2));
  far.start(hours(1));
  near.start(milliseconds(10));
  cancelled.cancel();
  run_until_called(soon);
  EXPECT_EQ(never.calls, 0);
  EXPECT_TRUE(far.armed());
  EXPECT_FALSE(cancelled.armed());
}

}  // namespace
}  // namespace freehold::runtime
