#include "os/cgroup.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "os/cgroup_files.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::os {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;

// The kernel counts threads, and ThreadSanitizer has one of its own in each process.
#ifdef __SANITIZE_THREAD__
constexpr uint64_t kThreadsEach = 2;
#else
constexpr uint64_t kThreadsEach = 1;
#endif

// On the machine's own control groups.
class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    tree_ = CgroupTree::find(fmt::format("freehold-test-{}", getpid()));
    if (!tree_.group("x").exists()) GTEST_SKIP() << "control groups cannot be used here: " << tree_.problems().front();
  }
  void TearDown() override {
    for (const std::string& name : tree_.list()) (void)CgroupTree::kill_until_empty(tree_.group(name), 5s).ok();
    EXPECT_TRUE(tree_.remove_root().ok());
  }
  // A process in the group that forks `children` more, all of them deaf to SIGTERM.
  static pid_t populate(const Cgroup& group, int children) {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
      signal(SIGTERM, SIG_IGN);
      for (const std::string& file : group.join_files()) {
        std::ofstream(file) << getpid();
      }
      for (int i = 0; i < children; ++i) {
        if (fork() == 0) break;
      }
      (void)!write(ready[1], "x", 1);
      for (;;) pause();
    }
    char bytes[64];
    for (ssize_t got = 0; got < children + 1;) got += std::max<ssize_t>(0, read(ready[0], bytes, sizeof bytes));
    close(ready[0]);
    close(ready[1]);
    return pid;
  }
  static int end_of(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
  }

  CgroupTree tree_ = CgroupTree::find("freehold-test", {"/dev/null", "/dev/null"});
};

TEST_F(CgroupTest, KillsAllThatIsInAGroup) {
  auto made = tree_.create("web.1", {});
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_TRUE(CgroupTree::is_empty(made->group));
  pid_t pid = populate(made->group, 5);
  EXPECT_FALSE(CgroupTree::is_empty(made->group));
  EXPECT_EQ(CgroupTree::usage(made->group)->processes, 6 * kThreadsEach);
  EXPECT_EQ(tree_.create("web.1", {}).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(CgroupTree::remove(made->group).error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(tree_.list(), std::vector<std::string>{"web.1"});
  ASSERT_TRUE(CgroupTree::kill_until_empty(made->group, 10s).ok());
  EXPECT_EQ(WTERMSIG(end_of(pid)), SIGKILL);
  ASSERT_TRUE(CgroupTree::remove(made->group).ok());
  EXPECT_TRUE(CgroupTree::remove(made->group).ok()) << "gone already";
  EXPECT_TRUE(tree_.list().empty());
}

TEST_F(CgroupTest, KillsOneByOneWhereThereIsNoKillFile) {
  auto made = tree_.create("web.1", {});
  ASSERT_TRUE(made.ok());
  Cgroup legacy = made->group;
  legacy.unified.clear();
  if (!legacy.exists()) GTEST_SKIP() << "there is only v2 here";
  EXPECT_EQ(legacy.kill_file(), "");
  pid_t pid = populate(made->group, 5);
  ASSERT_TRUE(CgroupTree::kill_until_empty(legacy, 10s).ok());
  EXPECT_EQ(WTERMSIG(end_of(pid)), SIGKILL);
}

TEST_F(CgroupTest, CountsWhatIsUsed) {
  auto made = tree_.create("web.1", {});
  ASSERT_TRUE(made.ok());
  pid_t pid = fork();
  if (pid == 0) {
    for (const std::string& file : made->group.join_files()) std::ofstream(file) << getpid();
    unsigned sum = 0;
    for (unsigned i = 0; i < 30000000; ++i) sum = sum * 31 + i;
    if (sum == 1) _exit(1);
    _exit(0);
  }
  end_of(pid);
  EXPECT_GT(CgroupTree::usage(made->group)->cpu, 1ms);
  EXPECT_EQ(CgroupTree::usage(made->group)->out_of_memory_kills, 0u);
}

// On a made-up machine: what is found, and what is said about it.
class CgroupFindTest : public testing::Test {
 protected:
  CgroupFindTest() {
    char name[] = "/tmp/freehold-cgroup-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~CgroupFindTest() override { (void)system_disk().remove_tree(root_).ok(); }
  void add_group(const std::string& path, const std::string& controllers) {
    ASSERT_TRUE(system_disk().make_directories(root_ + path, 0755).ok());
    for (const char* file : {"cgroup.procs", "cgroup.subtree_control"}) std::ofstream(root_ + path + "/" + file);
    std::ofstream(root_ + path + "/cgroup.controllers") << controllers << "\n";
  }
  CgroupTree find(const std::string& mounts, const std::string& own) {
    std::ofstream(root_ + "/mountinfo") << mounts;
    std::ofstream(root_ + "/own") << own;
    return CgroupTree::find("freehold-x", {root_ + "/mountinfo", root_ + "/own"});
  }
  std::string mount(const std::string& path, const std::string& type, const std::string& options) {
    return fmt::format("30 20 0:30 / {}{} rw,nosuid shared:4 - {} none rw,{}\n", root_, path, type, options);
  }
  std::string root_;
};

TEST_F(CgroupFindTest, SaysThatThereIsNone) {
  CgroupTree tree = find("", "0::/\n");
  EXPECT_THAT(tree.problems(), Contains(HasSubstr("no control group that may be used")));
  auto made = tree.create("web.1", {1.0, Bytes{1 << 20}, 5});
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made->group.exists());
  EXPECT_EQ(made->problems.size(), 3u) << "each limit that was asked for";
  EXPECT_TRUE(CgroupTree::is_empty(made->group));
  EXPECT_TRUE(CgroupTree::remove(made->group).ok());
}

TEST_F(CgroupFindTest, TakesTheTopOfV2AndItsControllers) {
  add_group("/cg", "cpuset cpu io memory pids");
  CgroupTree tree = find(mount("/cg", "cgroup2", "nsdelegate"), "0::/user.slice\n");
  EXPECT_TRUE(tree.problems().empty());
  Cgroup group = tree.group("web.1");
  EXPECT_EQ(group.unified, root_ + "/cg/freehold-x/web.1");
  EXPECT_EQ(group.controllers.at("memory"), group.unified);
  EXPECT_EQ(group.join_files(), std::vector<std::string>{group.unified + "/cgroup.procs"});
  EXPECT_EQ(group.oom_file(), group.unified + "/memory.events");
  EXPECT_TRUE(tree.has("pids"));
  EXPECT_FALSE(tree.has("io"));
}

// The files and values of Documentation/admin-guide/cgroup-v2.rst.
TEST_F(CgroupFindTest, WritesLimitsAsV2HasThem) {
  add_group("/cg", "cpu memory pids");
  CgroupTree tree = find(mount("/cg", "cgroup2", ""), "0::/\n");
  std::vector<std::string> written;
  for (const auto& file : cgroup_files::limit_files({0.005, Bytes{64 << 20}, 10}, tree.group("web.1")))
    written.push_back(fmt::format("{}={}{}", file.file, file.value, file.required ? "" : " if there"));
  EXPECT_EQ(written, (std::vector<std::string>{"memory.max=67108864", "memory.swap.max=0 if there",
                                               "memory.oom.group=1 if there", "cpu.max=1000 100000", "pids.max=10"}));
}

TEST_F(CgroupFindTest, WritesLimitsAsV1HasThem) {
  for (const char* controller : {"memory", "cpu", "pids"}) add_group(std::string("/") + controller, "");
  CgroupTree tree =
      find(mount("/memory", "cgroup", "memory") + mount("/cpu", "cgroup", "cpu") + mount("/pids", "cgroup", "pids"),
           "4:pids:/\n3:cpu:/\n2:memory:/\n");
  std::vector<std::string> written;
  for (const auto& file : cgroup_files::limit_files({1.5, Bytes{64 << 20}, 10}, tree.group("web.1")))
    written.push_back(fmt::format("{}={}{}", file.file, file.value, file.required ? "" : " if there"));
  EXPECT_EQ(written,
            (std::vector<std::string>{"memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=67108864 if there",
                                      "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000", "pids.max=10"}));
}

// What is enabled for children, and where: in each group from the base down to our own, and in no instance's.
TEST_F(CgroupFindTest, EnablesControllersAboveTheInstancesOnly) {
  add_group("/cg", "memory");
  add_group("/cg/freehold-x", "memory");
  CgroupTree tree = find(mount("/cg", "cgroup2", ""), "0::/\n");
  auto made = tree.create("web.1", {});
  ASSERT_TRUE(made.ok()) << made.error().message();
  for (const char* path : {"/cg", "/cg/freehold-x"})
    EXPECT_EQ(*system_disk().read(root_ + path + "/cgroup.subtree_control", Bytes{100}), "+memory") << path;
  EXPECT_FALSE(system_disk().exists(made->group.unified + "/cgroup.subtree_control")) << "it has processes";
  EXPECT_TRUE(tree.problems().size() == 2) << "cpu and pids are missing, and it is said";
}

TEST_F(CgroupFindTest, ProcessesMakeRoomBeforeControllersAreEnabled) {
  add_group("/cg", "cpu memory pids");
  add_group("/cg/given", "cpu memory pids");
  add_group("/cg/given/freehold-agent", "");
  std::ofstream(root_ + "/cg/given/cgroup.type") << "domain\n";
  std::ofstream(root_ + "/cg/given/cgroup.procs") << "4242\n";
  std::ofstream(root_ + "/mountinfo") << mount("/cg", "cgroup2", "");
  std::ofstream(root_ + "/own") << "0::/elsewhere\n";
  CgroupTree tree = CgroupTree::find("freehold-x", {root_ + "/mountinfo", root_ + "/own", "/given"});
  (void)tree.create("web.1", {}).ok();
  EXPECT_EQ(*system_disk().read(root_ + "/cg/given/freehold-agent/cgroup.procs", Bytes{100}), "4242");
}

TEST_F(CgroupFindTest, AControllerThatCannotBeEnabledIsNotBelieved) {
  add_group("/cg", "cpu memory pids");
  ASSERT_TRUE(system_disk().remove(root_ + "/cg/cgroup.subtree_control").ok());
  CgroupTree tree = find(mount("/cg", "cgroup2", ""), "0::/\n");
  auto made = tree.create("web.1", {.cpu = {}, .memory = Bytes{1 << 20}, .pids = {}});
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_TRUE(made->group.controllers.empty());
  EXPECT_FALSE(made->group.unified.empty()) << "it still counts and kills";
  EXPECT_THAT(made->problems, Contains(HasSubstr("the limit on memory is not enforced")));
  EXPECT_THAT(tree.problems(), Contains(HasSubstr("cannot enable it in")));
}

TEST_F(CgroupFindTest, TakesV1HierarchiesBesideABareV2) {
  add_group("/unified", "hugetlb");
  add_group("/memory", "");
  add_group("/cpu,cpuacct", "");
  CgroupTree tree = find(mount("/memory", "cgroup", "memory") + mount("/cpu,cpuacct", "cgroup", "cpu,cpuacct") +
                             mount("/unified", "cgroup2", ""),
                         "3:cpu,cpuacct:/a\n2:memory:/b\n0::/\n");
  Cgroup group = tree.group("web.1");
  EXPECT_EQ(group.directories().size(), 3u) << "cpu and cpuacct are one";
  EXPECT_EQ(group.controllers.at("cpu"), root_ + "/cpu,cpuacct/freehold-x/web.1");
  EXPECT_EQ(group.oom_file(), root_ + "/memory/freehold-x/web.1/memory.oom_control");
  ASSERT_EQ(tree.problems().size(), 1u);
  EXPECT_THAT(tree.problems()[0], HasSubstr("'pids'"));
}

TEST_F(CgroupFindTest, TakesItsOwnGroupWhereTheTopIsNotItsOwn) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  add_group("/cg", "cpu memory pids");
  add_group("/cg/user", "memory pids");
  chmod((root_ + "/cg").c_str(), 0555);
  CgroupTree tree = find(mount("/cg", "cgroup2", ""), "0::/user\n");
  EXPECT_EQ(tree.group("web.1").unified, root_ + "/cg/user/freehold-x/web.1");
  EXPECT_FALSE(tree.has("cpu"));
  chmod((root_ + "/cg").c_str(), 0755);
}

TEST_F(CgroupFindTest, TakesTheGroupThatWasDelegated) {
  add_group("/cg", "cpu memory pids");
  add_group("/cg/our.slice/our.service", "cpu memory pids");
  std::ofstream(root_ + "/mountinfo") << mount("/cg", "cgroup2", "");
  std::ofstream(root_ + "/own") << "0::/system.slice/agent.service\n";
  auto find_in = [&](const std::string& delegated) {
    return CgroupTree::find("freehold-x", {root_ + "/mountinfo", root_ + "/own", delegated});
  };
  CgroupTree tree = find_in("/our.slice/our.service");
  EXPECT_EQ(tree.group("web.1").unified, root_ + "/cg/our.slice/our.service/freehold-x/web.1");
  EXPECT_TRUE(tree.problems().empty());
  EXPECT_FALSE(find_in("/gone.service").group("web.1").exists()) << "nobody else's instead";
}

TEST_F(CgroupTest, MovesAProcessIntoAGroupWithoutLimits) {
  Cgroup nowhere;
  pid_t pid = populate(nowhere, 0);
  ASSERT_TRUE(tree_.move(pid, "keepers").ok());
  auto members = CgroupTree::members(tree_.group("keepers"));
  ASSERT_FALSE(members.empty());
  EXPECT_EQ(members.front().pid, pid);
  ASSERT_TRUE(CgroupTree::kill_until_empty(tree_.group("keepers"), 5s).ok());
  end_of(pid);
}

TEST_F(CgroupFindTest, TellsALimitThatCouldNotBeSet) {
  add_group("/memory", "");
  CgroupTree tree = find(mount("/memory", "cgroup", "memory"), "2:memory:/\n");
  auto made = tree.create("web.1", {.cpu = {}, .memory = Bytes{1 << 20}, .pids = {}});
  ASSERT_TRUE(made.ok()) << made.error().message();
  // An ordinary folder has no memory.limit_in_bytes.
  EXPECT_THAT(made->problems, Contains(HasSubstr("the limit on memory is not enforced")));
}

}  // namespace
}  // namespace freehold::os
