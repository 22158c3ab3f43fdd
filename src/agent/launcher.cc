#include "agent/launcher.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "agent/descendants.h"
#include "agent/keeper_protocol.h"
#include "agent/keeper_spawn.h"
#include "agent/user_names.h"
#include "base/log.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/spawn.h"

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;

bool is_root() { return geteuid() == 0; }

bool is_absolute(const std::string& path) { return path.starts_with('/'); }

Result<void> check(const LaunchSpec& spec) {
  auto invalid = [&](std::string_view what) {
    return Error(ErrorCode::kInvalid, fmt::format("{} cannot be started: {}", spec.instance, what));
  };
  if (spec.command.empty() || spec.command[0].empty()) return invalid("it has no command");
  if (!is_absolute(spec.directory) || !is_absolute(spec.folder) || !is_absolute(spec.log_folder))
    return invalid("its folders are not absolute paths");
  if (spec.user && !is_root()) return invalid("only root can run it as another user");
  return {};
}

std::string mark_of(const std::string& tree, const LaunchSpec& spec) {
  return fmt::format("{}/{}", tree, spec.instance);
}

bool has_private_mounts(const LaunchSpec& spec) {
  return spec.temporary == TemporaryFolders::kPrivate && Launcher::can_make_mounts();
}

Result<void> describe_mounts(KeeperConfiguration& configuration, const LaunchSpec& spec) {
  if (!has_private_mounts(spec)) return {};
  FH_ASSIGN(UserNames names, write_user_names(spec));
  if (!names.users.empty()) configuration.add("user_list", names.users);
  if (!names.groups.empty()) configuration.add("group_list", names.groups);
  configuration.add("private_tmp", os::join_path(spec.folder, "tmp"));
  configuration.add("private_var_tmp", os::join_path(spec.folder, "var-tmp"));
  // A service without a release starts in "/": that cannot be made read-only without taking its volumes along.
  if (spec.directory != "/") configuration.add("read_only", spec.directory);
  if (!spec.secrets.empty()) configuration.add("read_only", spec.secrets);
  for (const std::string& volume : spec.volumes) configuration.add("bind", volume);
  return {};
}

Result<std::string> configuration_of(const LaunchSpec& spec, const os::Cgroup& group, const std::string& mark,
                                     std::vector<std::string>& problems) {
  KeeperConfiguration configuration;
  configuration.add("mode", "instance");
  FH_ASSIGN(std::string boot, os::boot_id());
  configuration.add("boot", boot);
  configuration.add("folder", spec.folder);
  configuration.add("log_folder", spec.log_folder);
  configuration.add("log_name", spec.instance + ".log");
  configuration.add("log_bytes", spec.log.file.count);
  configuration.add("log_files", uint64_t{spec.log.most});
  if (spec.log.age > Duration::zero()) {
    configuration.add("log_seconds",
                      static_cast<uint64_t>(std::chrono::ceil<std::chrono::seconds>(spec.log.age).count()));
  }
  configuration.add("linger_ms",
                    static_cast<uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(spec.linger).count()));
  for (const std::string& file : group.join_files()) configuration.add("cgroup", file);
  if (std::string file = group.kill_file(); !file.empty()) configuration.add("kill_file", file);
  if (std::string file = group.oom_file(); !file.empty()) configuration.add("oom_file", file);
  if (auto files = file_limit(spec, problems)) configuration.add("files", *files);
  auto env = environment_of(spec, mark);
  if (!spec.listen.empty()) {
    env.insert_or_assign("LISTEN_FDS", fmt::format("{}", spec.listen.size()));
    env.insert_or_assign("LISTEN_PID", "0000000000");  // the keeper fills it in
    std::vector<std::string> names(spec.listen.size(), spec.service);
    env.insert_or_assign("LISTEN_FDNAMES", join(names, ":"));
    for (size_t i = 0; i < spec.listen.size(); ++i) configuration.add("listen", 5 + i);
  }
  FH_TRY(describe_mounts(configuration, spec));
  describe_workload(configuration, spec, spec.command, env);
  return std::move(configuration).finish();
}

model::Exit to_exit(const KeeperExit& record, const std::string& folder) {
  model::Exit exit;
  exit.at = record.at;
  if (!record.step.empty()) {
    auto launch = read_launch(folder);
    exit.failure = explain_failure(record.step, record.error, launch ? launch->program : std::string(),
                                   launch ? launch->directory : std::string());
    exit.code = record.code;
    return exit;
  }
  exit.code = record.code;
  exit.signal = record.signal;
  exit.out_of_memory = record.oom_kills > 0 && (record.signal == SIGKILL || record.code != 0);
  return exit;
}

// An empty folder of that mode and owner, whatever was there: what an earlier run left in its /tmp is gone.
Result<void> make_empty(const std::string& path, mode_t mode, const std::optional<UserIds>& user) {
  os::Disk& disk = os::system_disk();
  FH_TRY(disk.remove_tree(path));
  FH_TRY(disk.make_directories(path, mode));
  FH_TRY(disk.set_mode(path, mode));
  if (user) FH_TRY(disk.set_owner(path, user->user, user->group));
  return {};
}

}  // namespace

Launcher::Launcher(Options options)
    : options_(std::move(options)), tree_(os::CgroupTree::find(options_.tree, options_.ground)) {}

Result<std::unique_ptr<Launcher>> Launcher::create(Options options) {
  if (options.tree.empty()) return Error(ErrorCode::kInvalid, "the launcher needs a name for its control groups");
  if (access(options.keeper.c_str(), X_OK) != 0)
    return errno_error(fmt::format("the keeper {} cannot be run", options.keeper), errno);
  return std::unique_ptr<Launcher>(new Launcher(std::move(options)));
}

bool Launcher::can_make_mounts() {
  // Root in a container often lacks this one.
  if (!is_root() || prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 1) return false;
  // In a chroot the root is no mount: its propagation cannot be cut, and our mounts could reach the machine outside.
  struct statx status{};
  if (statx(AT_FDCWD, "/", AT_NO_AUTOMOUNT, STATX_INO, &status) != 0) return true;
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<std::string> Launcher::find_keeper() {
  FH_ASSIGN(std::string own, os::own_executable());
  std::string keeper = os::join_path(os::parent_path(own), "freehold-keeper");
  if (access(keeper.c_str(), X_OK) != 0) return errno_error(fmt::format("the keeper {} cannot be run", keeper), errno);
  return keeper;
}

Result<os::CgroupTree::Created> Launcher::make_group(const LaunchSpec& spec) {
  os::GroupLimits limits{spec.limits.cpu, spec.limits.memory, spec.limits.pids};
  return tree_.create(spec.instance, limits);
}

Result<void> Launcher::prepare_folder(const LaunchSpec& spec, const os::Cgroup& group) {
  os::Disk& disk = os::system_disk();
  for (const char* name : {"pid", "exit", "exit.new"}) {
    auto removed = disk.remove(os::join_path(spec.folder, name));
    if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed.error();
  }
  if (spec.temporary == TemporaryFolders::kPrivate) {
    FH_TRY(make_empty(os::join_path(spec.folder, "tmp"), 01777, spec.user));
    FH_TRY(make_empty(os::join_path(spec.folder, "var-tmp"), 01777, spec.user));
  }
  FH_TRY(disk.make_directories(spec.log_folder, 0750));
  return write_launch(spec.folder,
                      {spec.instance, spec.command[0], spec.directory, mark_of(options_.tree, spec), group});
}

Result<Running> Launcher::start(const LaunchSpec& spec) {
  FH_TRY(check(spec));
  FH_TRY(os::system_disk().make_directories(spec.folder, 0750));
  if (!is_gone(spec.folder))
    return Error(ErrorCode::kConflict, fmt::format("{} cannot be started: it still runs", spec.instance));
  FH_ASSIGN(os::CgroupTree::Created made, make_group(spec));
  Running running;
  running.problems = std::move(made.problems);
  if (!is_root() && spec.temporary == TemporaryFolders::kPrivate)
    running.problems.push_back("without root /tmp is shared; TMPDIR names a folder of the instance's own");
  FH_TRY(prepare_folder(spec, made.group));

  SpawnRequest request;
  request.keeper = options_.keeper;
  request.name = spec.instance;
  request.mark = mark_of(options_.tree, spec);
  request.passed = spec.listen;
  FH_ASSIGN(request.configuration, configuration_of(spec, made.group, mark_of(options_.tree, spec), running.problems));
  FH_ASSIGN(Spawned spawned, spawn_keeper(request));
  if (!options_.ground.delegated.empty()) {
    if (auto moved = tree_.move(spawned.pid, kKeepers); !moved) running.problems.push_back(moved.error().message());
  }
  Answer answer = wait_for_answer(spawned.answer, options_.handshake);
  if (answer.kind == Answer::Kind::kRunning) {
    running.keeper = answer.keeper;
    running.child = answer.child;
    // The keeper is our child and not yet reaped: its pid is still its own, even if it has ended already.
    running.keeper_fd = os::open_child(spawned.pid);
    if (!running.keeper_fd) return errno_error(fmt::format("cannot watch the keeper of {}", spec.instance), errno);
    return running;
  }
  if (answer.kind == Answer::Kind::kLate) ::kill(spawned.pid, SIGKILL);
  // Bounded: the keeper is dead, or about to write `exit` and go.
  os::Fd pidfd = os::open_child(spawned.pid);
  (void)os::wait_ended(pidfd, 2s);
  retire(std::move(pidfd));
  std::string why =
      answer.kind == Answer::Kind::kFailed ? explain_failure(answer.step, answer.error, spec.command[0], spec.directory)
      : answer.kind == Answer::Kind::kLate ? fmt::format("it did not start within {}", format_short(options_.handshake))
                                           : "its keeper was killed while starting it";
  if (answer.kind != Answer::Kind::kFailed) FH_TRY(kill_all(spec.folder));
  ErrorCode code = answer.kind == Answer::Kind::kFailed ? errno_error("", answer.error).code()
                   : answer.kind == Answer::Kind::kLate ? ErrorCode::kTimeout
                                                        : ErrorCode::kUnavailable;
  return Error(code, fmt::format("{} did not start: {}", spec.instance, why));
}

os::Cgroup Launcher::group_of(const std::string& folder) {
  if (auto launch = read_launch(folder)) return launch->group;
  // Torn when the machine or we died in mid-write: the name alone says where it must be.
  return tree_.group(folder.substr(folder.rfind('/') + 1));
}

Adopted Launcher::adopt(const std::string& folder) {
  Adopted adopted;
  auto pid = read_keeper_pid(folder);
  if (!pid) pid = wait_for_keeper(folder);
  auto boot = os::boot_id();
  if (pid && boot && pid->boot == *boot) {
    if (auto keeper = os::open_process(pid->keeper)) {
      adopted.state = AdoptedState::kRunning;
      adopted.running.keeper = pid->keeper;
      adopted.running.child = pid->child;
      adopted.running.keeper_fd = *std::move(keeper);
      return adopted;
    }
  }
  // `exit` is looked at after the keeper was found gone: it writes it as its last act.
  if (auto exit = read_exit(folder)) {
    adopted.state = AdoptedState::kEnded;
    adopted.exit = *std::move(exit);
    return adopted;
  }
  adopted.exit.at = os::system_clock().wall();
  if (!pid) {
    if (!read_launch(folder)) return adopted;
    // Killed between the start and the keeper's first record: the workload was never let go.
    adopted.state = AdoptedState::kKeeperLost;
  } else {
    adopted.state = boot && pid->boot == *boot ? AdoptedState::kKeeperLost : AdoptedState::kOtherBoot;
  }
  if (adopted.state == AdoptedState::kOtherBoot) {
    adopted.exit.failure = "the machine was restarted";
    return adopted;
  }
  adopted.exit.signal = SIGKILL;
  adopted.exit.failure = "its keeper was killed, so it was stopped";
  if (auto killed = kill_all(folder); !killed) log_warning("agent", "{}: {}", folder, killed.error().message());
  return adopted;
}

// An agent may have been killed right after it started a keeper, which then still is on its way to its `pid`: without
// waiting for it, the instance would be started a second time beside it.
Result<KeeperPid> Launcher::wait_for_keeper(const std::string& folder) {
  constexpr Duration kStep = 20ms;
  FH_ASSIGN(LaunchRecord launch, read_launch(folder));
  MonotonicTime deadline = os::system_clock().monotonic() + options_.handshake;
  for (;;) {
    // In this order: a keeper that is no longer found has written it.
    std::vector<os::ProcessId> keepers = find_starting_keepers(launch.mark);
    auto pid = read_keeper_pid(folder);
    if (pid || keepers.empty()) return pid;
    bool late = os::system_clock().monotonic() >= deadline;
    for (const os::ProcessId& keeper : keepers) {
      auto pidfd = os::open_process(keeper);
      if (pidfd && late) (void)os::signal_process(*pidfd, SIGKILL).ok();
      if (pidfd) (void)os::wait_ended(*pidfd, kStep);
    }
  }
}

Result<model::Exit> Launcher::read_exit(const std::string& folder) {
  FH_ASSIGN(KeeperExit record, read_keeper_exit(folder));
  return to_exit(record, folder);
}

Result<void> Launcher::signal(const Running& running, int number) {
  FH_ASSIGN(os::Fd child, os::open_process(running.child));
  return os::signal_process(child, number);
}

Result<void> Launcher::kill_all(const std::string& folder) {
  os::Cgroup group = group_of(folder);
  if (group.exists()) return os::CgroupTree::kill(group);
  auto launch = read_launch(folder);
  auto pid = read_keeper_pid(folder);
  kill_marked(launch ? launch->mark : std::string(), pid ? pid->child : os::ProcessId());
  return {};
}

std::vector<os::ProcessId> Launcher::processes(const std::string& folder) {
  os::Cgroup group = group_of(folder);
  if (group.exists()) return os::CgroupTree::members(group);
  auto launch = read_launch(folder);
  auto pid = read_keeper_pid(folder);
  return find_marked(launch ? launch->mark : std::string(), pid ? pid->child : os::ProcessId());
}

bool Launcher::is_gone(const std::string& folder) {
  auto launch = read_launch(folder);
  auto pid = read_keeper_pid(folder);
  auto boot = os::boot_id();
  if (pid && boot && pid->boot == *boot) {
    if (os::open_process(pid->keeper).ok() || os::open_process(pid->child).ok()) return false;
  }
  os::Cgroup group = group_of(folder);
  if (group.exists()) return os::CgroupTree::is_empty(group);
  return !launch || find_marked(launch->mark, {}).empty();
}

bool Launcher::reap(const os::Fd& pidfd) {
  siginfo_t info{};
  return waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG) != 0 || info.si_pid != 0;
}

void Launcher::retire(os::Fd pidfd) {
  std::erase_if(dying_, [](const os::Fd& one) { return reap(one); });
  if (pidfd && !reap(pidfd)) dying_.push_back(std::move(pidfd));
}

Result<void> Launcher::cleanup(const std::string& folder) {
  if (!is_gone(folder)) return Error(ErrorCode::kConflict, fmt::format("{} is still in use by its instance", folder));
  FH_TRY(os::CgroupTree::remove(group_of(folder)));
  return os::system_disk().remove_tree(folder);
}

Result<os::GroupUsage> Launcher::usage(const std::string& folder) { return os::CgroupTree::usage(group_of(folder)); }

Result<void> Launcher::remove_tree() { return tree_.remove_root(); }

std::vector<std::string> Launcher::sweep(const std::set<std::string>& known_instances) {
  std::vector<std::string> swept;
  for (const std::string& name : tree_.list()) {
    if (known_instances.contains(name)) continue;
    os::Cgroup group = tree_.group(name);
    auto killed = os::CgroupTree::kill_until_empty(group, 2s);
    auto removed = killed ? os::CgroupTree::remove(group) : killed;
    if (!removed) log_warning("agent", "the orphan {}: {}", name, removed.error().message());
    swept.push_back(name);
  }
  return swept;
}

}  // namespace freehold::agent
