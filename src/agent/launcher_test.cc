#include "agent/launcher.h"

#include <gtest/gtest.h>

#include "agent/launcher_fixture.h"

namespace freehold::agent {
namespace {

using LauncherTest = LauncherFixture;

TEST_F(LauncherTest, TellsHowAProgramEnded) {
  EXPECT_EQ(run(shell("exit 7")).code, 7);
  EXPECT_EQ(run(shell("kill -USR1 $$")).signal, SIGUSR1);
  model::Exit well = run(shell("true"));
  EXPECT_EQ(well.code, 0);
  EXPECT_EQ(well.signal, 0);
  EXPECT_EQ(well.failure, "");
  EXPECT_GT(well.at, os::system_clock().wall() - 1min);
}

TEST_F(LauncherTest, AdoptsWhatStillRunsAndReadsWhatEndedMeanwhile) {
  LaunchSpec spec = shell("read line < gate; exit 3");
  ASSERT_EQ(mkfifo((spec.directory + "/gate").c_str(), 0666), 0);
  auto running = launcher_->start(spec);
  ASSERT_TRUE(running.ok()) << running.error().message();
  Adopted adopted = launcher_->adopt(spec.folder);
  ASSERT_EQ(adopted.state, AdoptedState::kRunning);
  EXPECT_EQ(adopted.running.keeper, running->keeper);
  EXPECT_EQ(adopted.running.child, running->child);
  write_file(spec.directory + "/gate", "go\n");
  ASSERT_TRUE(os::wait_ended(adopted.running.keeper_fd, 10s));
  adopted = launcher_->adopt(spec.folder);
  ASSERT_EQ(adopted.state, AdoptedState::kEnded);
  EXPECT_EQ(adopted.exit.code, 3);
}

}  // namespace
}  // namespace freehold::agent
