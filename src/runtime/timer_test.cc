// The wheel's arithmetic, under a clock that the test moves.
#include <algorithm>
#include <random>

#include "os/random.h"
#include "runtime/loop_test_support.h"

namespace freehold::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeTimeTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loop = Loop::create(Backend::kEpoll, clock_);
    ASSERT_TRUE(loop);
    loop_ = *std::move(loop);
  }
  void pass(Duration duration) {
    clock_.advance(duration);
    loop_->run_once(Duration::zero());
  }
  os::FakeClock clock_;
  std::unique_ptr<Loop> loop_;
};

struct Noted {
  Noted(Loop& loop, std::vector<int>& target, int id)
      : order(target), name(id), timer(loop, complete<&Noted::on_expired>(this)) {}
  void on_expired(int) { order.push_back(name); }
  std::vector<int>& order;
  int name;
  Timer timer;
};

TEST_F(FakeTimeTest, CallsInOrderOfTimeNotOfArming) {
  std::vector<int> order;
  Noted c(*loop_, order, 3);
  Noted a(*loop_, order, 1);
  Noted d(*loop_, order, 4);
  Noted b(*loop_, order, 2);
  c.timer.start(seconds(70));
  a.timer.start(milliseconds(3));
  d.timer.start(hours(50));
  b.timer.start(milliseconds(700));
  pass(hours(100));
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
}

TEST_F(FakeTimeTest, KeepsTheOrderOfArmingWithinAMillisecond) {
  std::vector<int> order;
  std::vector<std::unique_ptr<Noted>> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(std::make_unique<Noted>(*loop_, order, i));
    all.back()->timer.start(seconds(300));
  }
  pass(seconds(100));
  pass(seconds(200));
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(FakeTimeTest, IsNotEarlyByANanosecond) {
  Outcome expired;
  Timer timer(*loop_, expired.completion());
  timer.start(milliseconds(100));
  pass(milliseconds(100) - Duration(1));
  EXPECT_EQ(expired.calls, 0);
  pass(Duration(1));
  EXPECT_EQ(expired.calls, 1);
  pass(hours(1));
  EXPECT_EQ(expired.calls, 1);
}

TEST_F(FakeTimeTest, CancelHoldsEvenInTheTurnInWhichItIsDue) {
  struct Canceller {
    Timer* victim = nullptr;
    void on_expired(int) { victim->cancel(); }
  } canceller;
  Outcome expired;
  Timer first(*loop_, complete<&Canceller::on_expired>(&canceller));
  Timer second(*loop_, expired.completion());
  canceller.victim = &second;
  first.start(milliseconds(10));
  second.start(milliseconds(11));
  pass(milliseconds(20));
  EXPECT_EQ(expired.calls, 0);
  EXPECT_FALSE(second.armed());
}

TEST_F(FakeTimeTest, CallsWhatIsDueAtOnceInTheNextTurnEvenWithinAMillisecond) {
  pass(std::chrono::microseconds(300));
  Outcome expired;
  Timer timer(*loop_, expired.completion());
  timer.start(Duration::zero());
  pass(Duration::zero());
  EXPECT_EQ(expired.calls, 1);
  timer.start(std::chrono::microseconds(1));
  pass(std::chrono::microseconds(1));
  pass(std::chrono::microseconds(699));
  EXPECT_EQ(expired.calls, 2);
}

struct Repeating {
  explicit Repeating(Loop& loop) : timer(std::make_unique<Timer>(loop, complete<&Repeating::on_expired>(this))) {}
  void on_expired(int) {
    if (++calls < most) return timer->start(Duration::zero());
    timer.reset();
  }
  std::unique_ptr<Timer> timer;
  int calls = 0;
  int most = 3;
};

TEST_F(FakeTimeTest, RunsOnceATurnWhenRearmedAndMayBeDestroyedWithinItsHandler) {
  Repeating repeating(*loop_);
  repeating.timer->start(milliseconds(1));
  pass(milliseconds(5));
  EXPECT_EQ(repeating.calls, 1);
  pass(Duration::zero());
  EXPECT_EQ(repeating.calls, 2);
  pass(Duration::zero());
  EXPECT_EQ(repeating.calls, 3);
  EXPECT_EQ(repeating.timer, nullptr);
}

TEST_F(FakeTimeTest, HoldsTheFarthestTime) {
  Outcome expired;
  Timer timer(*loop_, expired.completion());
  timer.start(Duration::max());
  EXPECT_TRUE(timer.armed());
  pass(hours(24 * 365));
  EXPECT_EQ(expired.calls, 0);
  timer.start_at(MonotonicTime::min());
  pass(Duration::zero());
  EXPECT_EQ(expired.calls, 1);
}

// Any order of arming, moving, cancelling and waiting agrees with a sorted list.
TEST_F(FakeTimeTest, AgreesWithAModel) {
  const uint64_t seed = os::system_random().next();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  os::SeededRandom random(seed);
  struct Entry {
    Entry(Loop& loop, os::Clock& source) : clock(source), timer(loop, complete<&Entry::on_expired>(this)) {}
    void on_expired(int) {
      EXPECT_TRUE(armed);
      EXPECT_LE(when, clock.monotonic());
      armed = false;
    }
    os::Clock& clock;
    Timer timer;
    MonotonicTime when{};
    bool armed = false;
  };
  std::vector<std::unique_ptr<Entry>> entries;
  for (int i = 0; i < 200; ++i) entries.push_back(std::make_unique<Entry>(*loop_, clock_));
  for (int step = 0; step < 5000; ++step) {
    Entry& entry = *entries[random.below(entries.size())];
    const Duration far = Duration(static_cast<int64_t>(random.below(uint64_t{1} << (10 + random.below(38)))));
    switch (random.below(4)) {
      case 0:
      case 1:
        entry.when = clock_.monotonic() + far;
        entry.timer.start(far);
        entry.armed = true;
        break;
      case 2:
        entry.timer.cancel();
        entry.armed = false;
        break;
      default:
        pass(far / 16);
        for (const auto& each : entries) {
          ASSERT_EQ(each->armed, each->timer.armed());
          // Late by less than a millisecond.
          ASSERT_TRUE(!each->armed || each->when + milliseconds(1) > clock_.monotonic());
        }
    }
  }
}

}  // namespace
}  // namespace freehold::runtime
