#include "os/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace freehold::os {
namespace {

TEST(Process, IsIdentifiedAndSignalledByPidAndStartTime) {
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  auto id = identify(child);
  ASSERT_TRUE(id.ok());
  auto pidfd = open_process(*id);
  ASSERT_TRUE(pidfd.ok());
  ASSERT_TRUE(signal_process(*pidfd, SIGKILL).ok());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(identify(child).error().code(), ErrorCode::kNotFound);
}

TEST(Process, WithAnotherStartTimeIsAnother) {
  auto id = identify(getpid());
  ASSERT_TRUE(id.ok());
  id->start += 1;
  EXPECT_EQ(open_process(*id).error().code(), ErrorCode::kNotFound);
}

TEST(BootId, CanBeForged) {
  EXPECT_EQ(boot_id()->size(), 36u);
  setenv("FREEHOLD_BOOT_ID", "forged", 1);
  EXPECT_EQ(*boot_id(), "forged");
  unsetenv("FREEHOLD_BOOT_ID");
}

}  // namespace
}  // namespace freehold::os
