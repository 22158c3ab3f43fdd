#include <gmock/gmock.h>
#include <sys/wait.h>

#include "agent/launcher_fixture.h"
#include "base/text.h"

namespace freehold::agent {
namespace {

using testing::HasSubstr;

class CommandTest : public LauncherFixture {
 protected:
  void SetUp() override {
    spec_ = shell("echo from-instance > ${TMPDIR:-/tmp}/file; echo ready; read line < gate");
    make_gate(spec_);
    spec_.env["GREETING"] = "hello";
    running_ = start(spec_);
    ASSERT_TRUE(wait_for_line(spec_, "ready"));
  }
  void TearDown() override {
    if (!running_.keeper_fd || HasFatalFailure()) return;
    open_gate(spec_);
    finish(spec_, running_);
  }
  struct Done {
    model::Exit exit;
    std::string output;
  };
  Done command(const std::vector<std::string>& words) {
    int pipe[2];
    EXPECT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    os::Fd reader(pipe[0]), writer(pipe[1]);
    auto started = launcher_->start_command(spec_, words, -1, writer.get(), writer.get());
    EXPECT_TRUE(started.ok()) << started.error().message();
    writer.reset();
    if (!started) return {};
    Done done;
    char bytes[4096];
    for (ssize_t count; (count = read(reader.get(), bytes, sizeof bytes)) > 0;)
      done.output.append(bytes, static_cast<size_t>(count));
    EXPECT_TRUE(os::wait_ended(started->pidfd, 10s));
    auto exit = Launcher::finished(*started);
    EXPECT_TRUE(exit.has_value());
    done.exit = exit.value_or(model::Exit());
    return done;
  }

  LaunchSpec spec_;
  Running running_;
};

TEST_F(CommandTest, RunsAsTheInstanceDoes) {
  Done done =
      command({"/bin/sh", "-c",
               "id -u; echo $GREETING; cat ${TMPDIR:-/tmp}/file; pwd; grep NoNewPrivs /proc/self/status; exit 6"});
  EXPECT_EQ(done.exit.code, 6);
  EXPECT_EQ(done.output, fmt::format("{}\nhello\nfrom-instance\n{}\nNoNewPrivs:\t1\n",
                                     spec_.user ? spec_.user->user : getuid(), spec_.directory));
}

TEST_F(CommandTest, RunsInTheInstancesControlGroup) {
  if (!os::CgroupTree::find(tree_).problems().empty()) GTEST_SKIP() << "control groups cannot be used here";
  EXPECT_THAT(command({"cat", "/proc/self/cgroup"}).output, HasSubstr("/" + tree_ + "/" + spec_.instance + "\n"));
}

TEST_F(CommandTest, SaysWhyItCannotRun) {
  auto missing = launcher_->start_command(spec_, {"no-such-command"}, -1, -1, -1);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("no-such-command"));
}

TEST_F(CommandTest, IsKilledWithAllThatItStarted) {
  int pipe[2];
  ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
  os::Fd reader(pipe[0]), writer(pipe[1]);
  auto started = launcher_->start_command(spec_, {"/bin/sh", "-c", "sleep 1000 & echo up; wait"}, -1, writer.get(), -1);
  ASSERT_TRUE(started.ok()) << started.error().message();
  writer.reset();
  char bytes[16];
  ASSERT_EQ(read(reader.get(), bytes, sizeof bytes), 3);
  EXPECT_FALSE(Launcher::finished(*started).has_value());
  pid_t pid = started->process.pid;
  launcher_->kill_command(*std::move(started));
  EXPECT_EQ(read(reader.get(), bytes, sizeof bytes), 0) << "nobody holds the pipe any more";
  // A zombie could still be signalled.
  EXPECT_TRUE(eventually([&] {
    command({"true"});
    return kill(pid, 0) != 0;
  })) << "the next command reaps it";
}

TEST_F(CommandTest, RunsWhereTheMachineAllowsFewerFilesThanAsked) {
  LaunchSpec greedy = spec_;
  greedy.limits.files = 1ULL << 40;
  auto started = launcher_->start_command(greedy, {"true"}, -1, -1, -1);
  ASSERT_TRUE(started.ok()) << started.error().message();
  ASSERT_TRUE(os::wait_ended(started->pidfd, 10s));
  EXPECT_EQ(Launcher::finished(*started)->code, 0);
}

TEST_F(CommandTest, IsNotFoundWhenTheInstanceDoesNotRun) {
  open_gate(spec_);
  finish(spec_, running_);
  EXPECT_EQ(launcher_->start_command(spec_, {"true"}, -1, -1, -1).error().code(), ErrorCode::kNotFound);
  running_ = start(spec_);
}

}  // namespace
}  // namespace freehold::agent
