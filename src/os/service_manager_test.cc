#include "os/service_manager.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace freehold::os {
namespace {

using namespace std::chrono_literals;

// Stands where systemd would: a datagram socket whose name is in the environment.
class ServiceManagerTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/freehold-notify-" + std::to_string(getpid());
    listen(path_, path_.size() + 1);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  void TearDown() override {
    unlink(path_.c_str());
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"})
      unsetenv(name);
  }
  void listen(const std::string& name, size_t length) {
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    unlink(path_.c_str());
    ASSERT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length)),
              0);
  }
  std::string heard() {
    char bytes[256];
    ssize_t count = recv(socket_.get(), bytes, sizeof bytes, 0);
    return count < 0 ? "" : std::string(bytes, static_cast<size_t>(count));
  }
  std::string path_;
  Fd socket_;
};

TEST_F(ServiceManagerTest, SaysWhatItIsTold) {
  ServiceManager manager = ServiceManager::take_from_environment();
  manager.say("READY=1\nSTATUS=serving");
  EXPECT_EQ(heard(), "READY=1\nSTATUS=serving");
}

TEST_F(ServiceManagerTest, KnowsAbstractNames) {
  std::string name = std::string("\0freehold-notify-test-", 22) + std::to_string(getpid());
  listen(name, name.size());
  std::string shown = name;
  shown[0] = '@';
  setenv("NOTIFY_SOCKET", shown.c_str(), 1);
  ServiceManager::take_from_environment().say("READY=1");
  EXPECT_EQ(heard(), "READY=1");
}

TEST_F(ServiceManagerTest, LeavesNothingInTheEnvironmentForChildren) {
  setenv("WATCHDOG_USEC", "1000000", 1);
  (void)ServiceManager::take_from_environment();
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
}

TEST_F(ServiceManagerTest, IsWatchedOnlyIfItIsTheOneThatIsMeant) {
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(ServiceManager::take_from_environment().watchdog(), Duration(30s));
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceManager::take_from_environment().watchdog(), std::nullopt);
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(ServiceManager::take_from_environment().watchdog(), std::nullopt);
}

// In a child of its own: the descriptors have fixed numbers.
TEST_F(ServiceManagerTest, TakesSocketsThatWereOpenedForIt) {
  pid_t child = fork();
  if (child == 0) {
    dup2(socket_.get(), 3);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "1", 1);
    auto sockets = ServiceManager::take_from_environment().take_sockets();
    bool good = sockets.size() == 1 && sockets[0].get() == 3 && (fcntl(3, F_GETFD) & FD_CLOEXEC) != 0;
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "1", 1);
    good = good && ServiceManager::take_from_environment().take_sockets().empty();
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(ServiceManager, DoesNothingWhereNobodyAsks) {
  ServiceManager manager = ServiceManager::take_from_environment();
  manager.say("READY=1");
  EXPECT_EQ(manager.watchdog(), std::nullopt);
  EXPECT_TRUE(manager.take_sockets().empty());
}

}  // namespace
}  // namespace freehold::os
