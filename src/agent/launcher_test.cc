// The life of an instance: started, adopted, ended, in every way that it can.
#include "agent/launcher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <thread>

#include "agent/descendants.h"
#include "agent/launcher_fixture.h"

namespace freehold::agent {
namespace {

using testing::HasSubstr;

using LauncherTest = LauncherFixture;

TEST_F(LauncherTest, TellsHowAProgramEnded) {
  EXPECT_EQ(run(shell("exit 7")).code, 7);
  EXPECT_EQ(run(shell("kill -USR1 $$")).signal, SIGUSR1);
  model::Exit well = run(shell("true"));
  EXPECT_EQ(well.code, 0);
  EXPECT_EQ(well.signal, 0);
  EXPECT_EQ(well.failure, "");
  EXPECT_FALSE(well.out_of_memory);
  EXPECT_GT(well.at, os::system_clock().wall() - 1min);
}

TEST_F(LauncherTest, SaysWhyAProgramCannotRun) {
  auto message = [&](const LaunchSpec& spec) {
    auto running = launcher_->start(spec);
    EXPECT_FALSE(running.ok());
    auto exit = launcher_->read_exit(spec.folder);
    EXPECT_TRUE(exit.ok());
    EXPECT_FALSE(exit.ok() && exit->failure.empty());
    return running.ok() ? std::string() : running.error().message();
  };
  EXPECT_THAT(message(make_spec({"./missing"})),
              HasSubstr("cannot run its program ./missing: No such file or directory"));
  EXPECT_THAT(message(make_spec({"no-such-program"})), HasSubstr("(it is in no folder of PATH)"));

  LaunchSpec spec = make_spec({"./data"});
  write_file(spec.directory + "/data", "x");
  EXPECT_THAT(message(spec), HasSubstr("./data: Permission denied (it must be executable"));
  spec = make_spec({"./script"});
  write_file(spec.directory + "/script", "#!/no/such/interpreter\n");
  chmod((spec.directory + "/script").c_str(), 0755);
  EXPECT_THAT(message(spec), HasSubstr("(the file is there, but the interpreter"));
  spec = make_spec({"./text"});
  write_file(spec.directory + "/text", "echo\n");
  chmod((spec.directory + "/text").c_str(), 0755);
  EXPECT_THAT(message(spec), HasSubstr("a script needs a first line"));
}

TEST_F(LauncherTest, SaysThatAFolderCannotBeEntered) {
  FH_NEEDS_ROOT();
  LaunchSpec spec = shell("true");
  chmod(spec.directory.c_str(), 0700);
  auto running = launcher_->start(spec);
  ASSERT_FALSE(running.ok());
  EXPECT_EQ(running.error().code(), ErrorCode::kDenied);
  EXPECT_THAT(running.error().message(), HasSubstr("cannot enter its folder " + spec.directory));
}

TEST_F(LauncherTest, RefusesWhatCannotBeAsked) {
  LaunchSpec spec = shell("true");
  spec.env["BAD"] = std::string("a\0b", 3);
  EXPECT_EQ(launcher_->start(spec).error().code(), ErrorCode::kInvalid);
  spec.env["BAD"] = std::string(2 << 20, 'x');
  EXPECT_EQ(launcher_->start(spec).error().code(), ErrorCode::kExhausted);
  spec.env.clear();
  spec.command.clear();
  EXPECT_EQ(launcher_->start(spec).error().code(), ErrorCode::kInvalid);
}

TEST_F(LauncherTest, GivesTheEnvironmentAndNothingOfItsOwn) {
  setenv("FREEHOLD_SECRET_OF_THE_AGENT", "x", 1);
  LaunchSpec spec = make_spec({"env"});
  spec.env["GREETING"] = "hello world";
  run(spec);
  std::string output = output_of(spec);
  EXPECT_THAT(output, HasSubstr("GREETING=hello world\n"));
  EXPECT_THAT(output, HasSubstr("FREEHOLD_INSTANCE=" + spec.instance + "\n"));
  EXPECT_THAT(output, testing::Not(HasSubstr("FREEHOLD_SECRET_OF_THE_AGENT")));
}

TEST_F(LauncherTest, StartsTheSameInstanceAgainButNotTwice) {
  LaunchSpec spec = shell("read line < gate");
  make_gate(spec);
  Running running = start(spec);
  EXPECT_EQ(launcher_->start(spec).error().code(), ErrorCode::kConflict);
  open_gate(spec);
  finish(spec, running);
  running = start(spec);
  EXPECT_EQ(launcher_->read_exit(spec.folder).error().code(), ErrorCode::kNotFound);
  open_gate(spec);
  EXPECT_EQ(finish(spec, running).code, 0);
}

TEST_F(LauncherTest, AdoptsWhatStillRunsAndReadsWhatEndedMeanwhile) {
  LaunchSpec spec = shell("read line < gate; exit 3");
  make_gate(spec);
  Running running = start(spec);
  Adopted adopted = launcher_->adopt(spec.folder);
  ASSERT_EQ(adopted.state, AdoptedState::kRunning);
  EXPECT_EQ(adopted.running.keeper, running.keeper);
  EXPECT_EQ(adopted.running.child, running.child);
  open_gate(spec);
  ASSERT_TRUE(os::wait_ended(adopted.running.keeper_fd, 10s));
  adopted = launcher_->adopt(spec.folder);
  ASSERT_EQ(adopted.state, AdoptedState::kEnded);
  EXPECT_EQ(adopted.exit.code, 3);
  EXPECT_EQ(launcher_->adopt(root_ + "/instances/never").state, AdoptedState::kNeverStarted);
}

TEST_F(LauncherTest, InstancesOutliveTheProcessThatStartedThem) {
  LaunchSpec spec = shell("read line < gate; exit 4");
  make_gate(spec);
  pid_t agent = fork();
  if (agent == 0) _exit(launcher_->start(spec).ok() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(agent, &status, 0), agent);
  ASSERT_EQ(status, 0);

  Adopted adopted = launcher_->adopt(spec.folder);
  ASSERT_EQ(adopted.state, AdoptedState::kRunning);
  open_gate(spec);
  ASSERT_TRUE(os::wait_ended(adopted.running.keeper_fd, 10s));
  adopted = launcher_->adopt(spec.folder);
  ASSERT_EQ(adopted.state, AdoptedState::kEnded);
  EXPECT_EQ(adopted.exit.code, 4);
}

TEST_F(LauncherTest, AKilledKeeperTakesItsInstanceAlong) {
  LaunchSpec spec = shell("sleep 1000 & echo ready; wait");
  Running running = start(spec);
  ASSERT_TRUE(wait_for_line(spec, "ready"));
  auto child = os::open_process(running.child);
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(os::signal_process(running.keeper_fd, SIGKILL).ok());
  EXPECT_TRUE(os::wait_ended(*child, 10s)) << "the workload must die with its keeper";
  ASSERT_TRUE(os::wait_ended(running.keeper_fd, 10s));
  Launcher::reap(running.keeper_fd);
  Adopted adopted = launcher_->adopt(spec.folder);
  EXPECT_EQ(adopted.state, AdoptedState::kKeeperLost);
  EXPECT_EQ(adopted.exit.signal, SIGKILL);
  EXPECT_TRUE(wait_gone(spec)) << "what the workload had started must be killed too";
}

TEST_F(LauncherTest, AKeeperIgnoresWhatItsInstanceDoesNot) {
  LaunchSpec spec = shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done");
  Running running = start(spec);
  ASSERT_TRUE(wait_for_line(spec, "ready"));
  for (int number :
       {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGXFSZ, SIGXCPU, SIGALRM, SIGPROF, SIGIO, SIGPWR, SIGRTMIN})
    ASSERT_TRUE(os::signal_process(running.keeper_fd, number).ok());
  EXPECT_FALSE(os::wait_ended(running.keeper_fd, 50ms));
  ASSERT_TRUE(Launcher::signal(running, SIGTERM).ok());
  EXPECT_EQ(finish(spec, running).code, 5);
  EXPECT_EQ(Launcher::signal(running, SIGTERM).error().code(), ErrorCode::kNotFound);
}

TEST_F(LauncherTest, AnotherBootIsNeverAdopted) {
  LaunchSpec spec = shell("read line < gate");
  make_gate(spec);
  Running running = start(spec);
  setenv("FREEHOLD_BOOT_ID", "another", 1);
  Adopted adopted = launcher_->adopt(spec.folder);
  unsetenv("FREEHOLD_BOOT_ID");
  EXPECT_EQ(adopted.state, AdoptedState::kOtherBoot);
  EXPECT_FALSE(os::wait_ended(running.keeper_fd, 20ms)) << "and nothing is killed";
  open_gate(spec);
  finish(spec, running);
}

TEST_F(LauncherTest, WhatAProgramLeavesBehindEndsWithIt) {
  // Daemonised twice over, deaf to SIGTERM, holding the log's pipe.
  LaunchSpec spec =
      shell("(setsid sh -c 'trap \"\" TERM; echo up > up; sleep 1000' &); while ! test -e up; do :; done");
  chmod(spec.directory.c_str(), 0777);
  spec.temporary = TemporaryFolders::kShared;
  EXPECT_EQ(run(spec).code, 0);
  EXPECT_TRUE(launcher_->is_gone(spec.folder));
}

TEST_F(LauncherTest, KillsEverythingOfAnInstance) {
  LaunchSpec spec = shell("trap '' TERM; setsid sleep 1000 & echo ready; while :; do sleep 1000; done");
  Running running = start(spec);
  ASSERT_TRUE(wait_for_line(spec, "ready"));
  EXPECT_EQ(launcher_->cleanup(spec.folder).error().code(), ErrorCode::kConflict);
  ASSERT_TRUE(launcher_->kill_all(spec.folder).ok());
  EXPECT_EQ(finish(spec, running).signal, SIGKILL);
  EXPECT_TRUE(wait_gone(spec));
}

TEST_F(LauncherTest, WithoutControlGroupsTheMarkFindsEverything) {
  use({"/dev/null", "/dev/null"});
  EXPECT_FALSE(launcher_->problems().empty());
  LaunchSpec spec = shell("setsid sleep 1000 & setsid sleep 1000 & echo ready; sleep 1000");
  spec.limits.memory = Bytes{64 << 20};
  Running running = start(spec);
  EXPECT_FALSE(running.problems.empty()) << "a limit that is not enforced is told";
  ASSERT_TRUE(wait_for_line(spec, "ready"));
  ASSERT_TRUE(launcher_->kill_all(spec.folder).ok());
  EXPECT_EQ(finish(spec, running).signal, SIGKILL);
  EXPECT_TRUE(wait_gone(spec));
}

TEST_F(LauncherTest, WithoutControlGroupsTheKeeperEndsWhatIsLeft) {
  use({"/dev/null", "/dev/null"});
  // Deaf to SIGTERM, in a session of its own and without the mark: only its parent of last resort can tell whose it is.
  LaunchSpec spec = shell("trap '' TERM; env -i setsid sleep 1000 > /dev/null 2>&1 & echo $!");
  EXPECT_EQ(run(spec).code, 0);
  EXPECT_EQ(os::identify(static_cast<pid_t>(std::stol(output_of(spec)))).error().code(), ErrorCode::kNotFound);
}

// An agent that is killed as soon as it has started a keeper; the keeper waits at a gate before it does anything.
class StartingKeeperTest : public LauncherFixture {
 protected:
  StartingKeeperTest() {
    signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(mkfifo(gate_.c_str(), 0600), 0);
    write_file(slow_keeper_, fmt::format("#!/bin/sh\nread line < {}\nexec {} \"$@\"\n", gate_, built_keeper()));
    chmod(slow_keeper_.c_str(), 0755);
  }
  void start_and_die(const LaunchSpec& spec) {
    pid_t agent = fork();
    if (agent == 0) {
      auto launcher = Launcher::create({.keeper = slow_keeper_, .tree = tree_});
      (void)(*launcher)->start(spec).ok();
      _exit(0);
    }
    keeper_at_gate_ = os::Fd(open(gate_.c_str(), O_WRONLY | O_CLOEXEC));  // returns when somebody reads
    kill(agent, SIGKILL);
    waitpid(agent, nullptr, 0);
  }
  void use_handshake(Duration handshake) {
    launcher_ = *Launcher::create({.keeper = built_keeper(), .tree = tree_, .handshake = handshake});
  }

  std::string gate_ = root_ + "/keeper-gate";
  std::string slow_keeper_ = root_ + "/slow-keeper";
  os::Fd keeper_at_gate_;
};

TEST_F(StartingKeeperTest, IsWaitedForByTheNextAgent) {
  LaunchSpec spec = shell("echo once; read line < gate");
  make_gate(spec);
  start_and_die(spec);
  std::thread opener([&] { EXPECT_EQ(write(keeper_at_gate_.get(), "go\n", 3), 3); });
  Adopted adopted = launcher_->adopt(spec.folder);
  opener.join();
  ASSERT_EQ(adopted.state, AdoptedState::kRunning) << adopted.exit.failure;
  open_gate(spec);
  ASSERT_TRUE(os::wait_ended(adopted.running.keeper_fd, 20s));
  EXPECT_EQ(output_of(spec), "once\n");
}

TEST_F(StartingKeeperTest, IsEndedIfItDoesNotCome) {
  use_handshake(50ms);
  LaunchSpec spec = shell("echo once");
  start_and_die(spec);
  EXPECT_EQ(launcher_->adopt(spec.folder).state, AdoptedState::kKeeperLost);
  EXPECT_EQ(write(keeper_at_gate_.get(), "go\n", 3), -1) << "it must not start the program beside the next keeper's";
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(LauncherTest, ANumberThatAnotherSessionHasIsNotTakenForTheInstances) {
  pid_t stranger = fork();
  if (stranger == 0) {
    setsid();
    for (;;) pause();
  }
  ASSERT_TRUE(eventually([&] { return getsid(stranger) == stranger; }));
  os::ProcessId now = *os::identify(stranger);
  EXPECT_EQ(find_marked("", now), std::vector<os::ProcessId>{now});
  os::ProcessId before{stranger, now.start - 1};  // had the same number once
  kill_marked("", before);
  EXPECT_TRUE(find_marked("", before).empty());
  EXPECT_EQ(kill(stranger, SIGKILL), 0);
  int status = 0;
  EXPECT_EQ(waitpid(stranger, &status, 0), stranger);
}

TEST_F(LauncherTest, SweepsGroupsOfUnknownInstances) {
  if (!os::CgroupTree::find(tree_).problems().empty()) GTEST_SKIP() << "control groups cannot be used here";
  LaunchSpec known = shell("read line < gate");
  make_gate(known);
  LaunchSpec orphan = shell("sleep 1000");
  Running keep = start(known);
  Running lost = start(orphan);
  EXPECT_EQ(launcher_->sweep({known.instance}), std::vector<std::string>{orphan.instance});
  EXPECT_EQ(finish(orphan, lost).signal, SIGKILL);
  EXPECT_EQ(launcher_->adopt(known.folder).state, AdoptedState::kRunning);
  open_gate(known);
  finish(known, keep);
}

TEST_F(LauncherTest, PassesListeningSockets) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  os::Fd one(pair[0]), two(pair[1]);
  LaunchSpec spec = shell(
      "echo $LISTEN_FDS $LISTEN_FDNAMES; test $LISTEN_PID -eq $$ && echo mine; readlink /proc/$$/fd/3; exec ls "
      "/proc/self/fd");
  spec.listen = {one.get()};
  run(spec);
  EXPECT_THAT(output_of(spec), testing::MatchesRegex("1 " + spec.service + "\nmine\nsocket:.*\n0\n1\n2\n3\n4\n"))
      << "4 is how ls reads the list";
}

TEST_F(LauncherTest, LeavesNoMountBehind) {
  auto count = [] {
    std::ifstream file("/proc/self/mountinfo");
    return std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
  };
  auto before = count();
  run(shell("true"));
  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace freehold::agent
