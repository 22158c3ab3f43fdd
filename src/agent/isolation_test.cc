// What a service cannot do: to others, to the machine, beyond its limits.
#include <gmock/gmock.h>
#include <linux/keyctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "agent/launcher_fixture.h"
#include "base/text.h"

namespace freehold::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

using IsolationTest = LauncherFixture;

TEST_F(IsolationTest, HasItsOwnUserAndNoPrivileges) {
  LaunchSpec spec = make_spec({"cat", "/proc/self/status"});
  run(spec);
  std::string status = output_of(spec);
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  EXPECT_THAT(status, HasSubstr("CapPrm:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("CapInh:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("CapAmb:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("SigIgn:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("Umask:\t0027\n"));
  FH_NEEDS_ROOT();
  auto four = [](uint64_t id) { return fmt::format("{0}\t{0}\t{0}\t{0}\n", id); };
  EXPECT_THAT(status, HasSubstr("Uid:\t" + four(spec.user->user)));
  EXPECT_THAT(status, HasSubstr("Gid:\t" + four(spec.user->group)));
  EXPECT_THAT(status, HasSubstr("Groups:\t \n"));
  EXPECT_THAT(status, HasSubstr("CapBnd:\t0000000000000000\n"));
}

TEST_F(IsolationTest, HoldsNoKeysOfWhoStartedThePlatform) {
  FH_NEEDS_ROOT();
  if (access("/proc/keys", R_OK) != 0) GTEST_SKIP() << "this kernel lists no keys";
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 ||
      syscall(SYS_add_key, "user", "freehold-test-key", "x", 1, KEY_SPEC_SESSION_KEYRING) < 0)
    GTEST_SKIP() << "keys may not be used here";
  LaunchSpec spec = shell("cat /proc/keys; echo end");
  run(spec);
  EXPECT_THAT(output_of(spec), HasSubstr("end"));
  EXPECT_THAT(output_of(spec), testing::Not(HasSubstr("freehold-test-key")));
}

TEST_F(IsolationTest, CannotSignalTraceOrReadAnother) {
  FH_NEEDS_ROOT();
  LaunchSpec victim = shell("echo private > /tmp/file; echo private > $DATA/file; echo ready; read line < gate");
  make_gate(victim);
  victim.env["PASSWORD"] = "private";
  std::string volume = root_ + "/volume";
  mkdir(volume.c_str(), 0700);
  ASSERT_EQ(chown(volume.c_str(), victim.user->user, victim.user->group), 0);
  victim.volumes = {volume};
  victim.env["DATA"] = volume;
  Running running = start(victim);
  ASSERT_TRUE(wait_for_line(victim, "ready"));

  // Each attempt prints its name if it succeeds. Opening mem asks the kernel the very question that ptrace asks.
  std::string attempts = fmt::format(
      "kill -0 {0} && echo signal; kill -9 {0} && echo kill; kill -9 -{0} && echo group;"
      "cat /proc/{0}/environ && echo environ; (exec 3< /proc/{0}/mem) && echo mem; cat /proc/{0}/maps && echo maps;"
      "ls /proc/{0}/fd && echo fd; ls /proc/{0}/root/ && echo root; cat {1}/file && echo volume; cat /tmp/file && echo "
      "tmp;"
      "ls {2} && echo folder; cat {2}/tmp/file && echo itstmp; cat {3}/{4}.log && echo log; echo done",
      running.child.pid, volume, victim.folder, victim.log_folder, victim.instance);
  LaunchSpec attacker = shell(attempts);
  run(attacker);
  std::string said;
  for (const codec::Json& record : log_of(attacker)) {
    if (record["stream"].as_string() == "stdout") said += record["line"].as_string() + "\n";
  }
  EXPECT_EQ(said, "done\n");
  EXPECT_EQ(launcher_->adopt(victim.folder).state, AdoptedState::kRunning);
  open_gate(victim);
  EXPECT_EQ(finish(victim, running).code, 0);
}

TEST_F(IsolationTest, CannotTouchItsKeeperOrItsRecords) {
  FH_NEEDS_ROOT();
  LaunchSpec spec = shell("kill -9 $PPID; echo x > $FOLDER/exit; ls $FOLDER; echo x > ./new; echo done");
  spec.env["FOLDER"] = root_ + "/instances/web.0";
  EXPECT_EQ(run(spec).code, 0);
  EXPECT_FALSE(os::system_disk().exists(spec.directory + "/new"));
}

TEST_F(IsolationTest, HasATmpOfItsOwn) {
  FH_NEEDS_MOUNTS();
  std::string name = tree_ + "-probe";
  LaunchSpec spec =
      shell("ls -A /tmp /var/tmp; echo x > /tmp/" + name + " && echo y > /var/tmp/" + name + " && echo wrote");
  run(spec);
  EXPECT_EQ(output_of(spec), "/tmp:\n\n/var/tmp:\nwrote\n");
  EXPECT_FALSE(os::system_disk().exists("/tmp/" + name));
  EXPECT_FALSE(os::system_disk().exists("/var/tmp/" + name));
  run(spec);
  EXPECT_EQ(output_of(spec), "/tmp:\n\n/var/tmp:\nwrote\n/tmp:\n\n/var/tmp:\nwrote\n") << "empty again at each start";
}

TEST_F(IsolationTest, HasANameForItsUserAndGroup) {
  FH_NEEDS_MOUNTS();
  LaunchSpec spec = shell("id -un; id -gn; getent passwd root | cut -d: -f1; echo x >> /etc/passwd || echo read-only");
  spec.user_name = "freehold-web";
  run(spec);
  EXPECT_THAT(output_of(spec), HasSubstr("freehold-web\nfreehold-web\nroot\n"));
  EXPECT_THAT(output_of(spec), HasSubstr("read-only\n"));
  EXPECT_THAT(os::system_disk().read("/etc/passwd", Bytes{1 << 20}).value_or(""), Not(HasSubstr("freehold-web")));
}

TEST_F(IsolationTest, SeesItsFoldersEvenBelowTmp) {
  FH_NEEDS_MOUNTS();
  std::string below = "/tmp/" + tree_;
  ASSERT_TRUE(os::system_disk().make_directories(below + "/release/bin", 0755).ok());
  LaunchSpec spec = make_spec({"./bin/program"});
  spec.directory = below + "/release";
  write_file(below + "/release/bin/program", "#!/bin/sh\npwd; echo x 2>/dev/null > new || echo read-only; ls /tmp\n");
  chmod((below + "/release/bin/program").c_str(), 0755);
  chmod((below + "/release").c_str(), 0777);
  run(spec);
  EXPECT_EQ(output_of(spec), below + "/release\nread-only\n" + tree_ + "\n");
  EXPECT_TRUE(os::system_disk().remove_tree(below).ok());
}

TEST_F(IsolationTest, AServiceWithoutAReleaseCanWriteItsVolumes) {
  FH_NEEDS_ROOT();
  LaunchSpec spec = shell("echo x > $DATA/file && echo wrote; pwd");
  std::string volume = root_ + "/volume";
  mkdir(volume.c_str(), 0700);
  ASSERT_EQ(chown(volume.c_str(), spec.user->user, spec.user->group), 0);
  spec.volumes = {volume};
  spec.env["DATA"] = volume;
  spec.directory = "/";
  run(spec);
  EXPECT_EQ(output_of(spec), "wrote\n/\n");
}

TEST_F(IsolationTest, MoreMemoryThanAllowedIsOutOfMemory) {
  FH_NEEDS_CONTROLLER("memory");
  LaunchSpec spec = make_spec({"tail", "-n1", "/dev/zero"});
  spec.limits.memory = Bytes{32 << 20};
  model::Exit exit = run(spec);
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_TRUE(exit.out_of_memory);
}

TEST_F(IsolationTest, MoreProcessesThanAllowedCannotFork) {
  FH_NEEDS_CONTROLLER("pids");
  LaunchSpec spec = shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo forked");
  spec.limits.pids = 5;
  EXPECT_NE(run(spec).code, 0);
  EXPECT_THAT(output_of(spec), HasSubstr("fork"));
  EXPECT_THAT(output_of(spec), Not(HasSubstr("forked")));
}

TEST_F(IsolationTest, AForkBombIsKilled) {
  FH_NEEDS_CONTROLLER("pids");
  LaunchSpec spec = shell("bomb() { bomb | bomb & }; echo ready; bomb; sleep 1000");
  spec.limits.pids = 40;
  Running running = start(spec);
  ASSERT_TRUE(wait_for_line(spec, "ready"));
  EXPECT_TRUE(eventually([&] { return launcher_->is_gone(spec.folder) || !launcher_->kill_all(spec.folder).ok(); }));
  EXPECT_TRUE(launcher_->is_gone(spec.folder));
  finish(spec, running);
}

TEST_F(IsolationTest, MoreProcessorThanAllowedIsNotGiven) {
  FH_NEEDS_CONTROLLER("cpu");
  LaunchSpec spec = shell("echo ready; while :; do :; done");
  spec.limits.cpu = 0.2;
  Running running = start(spec);
  ASSERT_TRUE(wait_for_line(spec, "ready"));
  auto before = launcher_->usage(spec.folder);
  MonotonicTime began = os::system_clock().monotonic();
  EXPECT_FALSE(os::wait_ended(running.keeper_fd, 1s));
  auto after = launcher_->usage(spec.folder);
  std::chrono::duration<double> used = after->cpu - before->cpu;
  std::chrono::duration<double> passed = os::system_clock().monotonic() - began;
  EXPECT_LT(used / passed, 0.35);
  EXPECT_GT(used.count(), 0);
  EXPECT_EQ(after->processes, 1u);
  EXPECT_GT(after->memory.count, 0u);
  ASSERT_TRUE(launcher_->kill_all(spec.folder).ok());
  finish(spec, running);
}

TEST_F(IsolationTest, MoreOpenFilesThanAllowedAreRefused) {
  LaunchSpec spec = shell(
      "ulimit -n; ulimit -Hn; ulimit -c; for i in 3 4 5 6 7; do eval exec $i'< /dev/null' && echo $i; done;"
      "{ true; } < /dev/null && echo eight");
  spec.limits.files = 8;
  run(spec);
  std::string output = output_of(spec);
  EXPECT_THAT(output, HasSubstr("8\n8\n0\n3\n4\n5\n6\n7\n"));
  EXPECT_THAT(output, HasSubstr("Too many open files"));
  EXPECT_THAT(output, Not(HasSubstr("eight")));
}

TEST_F(IsolationTest, SaysWhenTheMachineAllowsFewerFilesThanAsked) {
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  rlimit raised = {now.rlim_cur, now.rlim_max + 1};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) GTEST_SKIP() << "this process may raise its limits";
  LaunchSpec spec = shell("ulimit -n");
  spec.limits.files = now.rlim_max + 1;
  Running running = start(spec);
  EXPECT_THAT(running.problems, testing::Contains(HasSubstr("open files")));
  finish(spec, running);
  EXPECT_EQ(output_of(spec), fmt::format("{}\n", now.rlim_max));
}

}  // namespace
}  // namespace freehold::agent
