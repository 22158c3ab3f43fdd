#include "runtime/watchdog.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "runtime/loop_test_support.h"

namespace freehold::runtime {
namespace {

using std::chrono::seconds;

class WatchdogTest : public testing::Test {
 protected:
  void SetUp() override {
    loop_ = *Loop::create(Backend::kEpoll, clock_);
    other_ = *Loop::create(Backend::kEpoll, clock_);
    std::string path = testing::TempDir() + "/freehold-watchdog-" + std::to_string(getpid());
    unlink(path.c_str());
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    manager_ = os::ServiceManager::take_from_environment();
  }
  int heard() {
    int count = 0;
    char bytes[64];
    while (recv(socket_.get(), bytes, sizeof bytes, 0) == 10) ++count;
    return count;
  }
  void pass(Duration duration) {
    clock_.advance(duration);
    loop_->run_once(Duration::zero());
  }
  os::FakeClock clock_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Loop> other_;
  os::Fd socket_;
  os::ServiceManager manager_;
};

TEST_F(WatchdogTest, PingsAThirdOfTheTimeApart) {
  Watchdog watchdog(*loop_, manager_);
  EXPECT_EQ(heard(), 0) << "only a loop that turns may say so";
  pass(seconds(1));
  EXPECT_EQ(heard(), 1);
  pass(seconds(9));
  EXPECT_EQ(heard(), 0);
  pass(seconds(2));
  EXPECT_EQ(heard(), 1);
}

TEST_F(WatchdogTest, FallsSilentWhileAnotherLoopHangs) {
  Watchdog watchdog(*loop_, manager_);
  watchdog.also(*other_);
  pass(seconds(1));
  EXPECT_EQ(heard(), 1);
  pass(seconds(11));
  pass(seconds(11));
  EXPECT_EQ(heard(), 0) << "the other loop has not turned";
  other_->run_once(Duration::zero());
  pass(seconds(1));
  pass(seconds(11));
  EXPECT_EQ(heard(), 1);
}

TEST_F(WatchdogTest, SaysNothingWhereNobodyWatches) {
  os::ServiceManager nobody;
  Watchdog watchdog(*loop_, nobody);
  pass(seconds(100));
  EXPECT_EQ(heard(), 0);
}

}  // namespace
}  // namespace freehold::runtime
