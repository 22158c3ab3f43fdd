// Commands beside a running instance: `freehold exec` and `health: exec`.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "agent/keeper_protocol.h"
#include "agent/keeper_spawn.h"
#include "agent/launcher.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::agent {

using namespace std::chrono_literals;

namespace {

// The instance's mounts, from its living process: opened first, then the process checked to be still the same.
Result<os::Fd> mounts_of(const KeeperPid& pid, const std::string& instance) {
  os::Fd mounts(open(fmt::format("/proc/{}/ns/mnt", pid.child.pid).c_str(), O_RDONLY | O_CLOEXEC));
  int error = errno;
  auto still = os::identify(pid.child.pid);
  if (!still || *still != pid.child) return Error(ErrorCode::kNotFound, fmt::format("{} does not run", instance));
  if (!mounts) return errno_error(fmt::format("cannot open the mounts of {}", instance), error);
  return mounts;
}

}  // namespace

Result<Command> Launcher::start_command(const LaunchSpec& spec, const std::vector<std::string>& command, int input,
                                        int output, int error) {
  retire({});
  if (command.empty()) return Error(ErrorCode::kInvalid, "no command was given");
  auto pid = read_keeper_pid(spec.folder);
  FH_ASSIGN(LaunchRecord launch, read_launch(spec.folder));
  FH_ASSIGN(std::string boot, os::boot_id());
  if (!pid || pid->boot != boot || !os::open_process(pid->child).ok())
    return Error(ErrorCode::kNotFound, fmt::format("{} does not run", spec.instance));

  KeeperConfiguration configuration;
  configuration.add("mode", "command");
  for (const std::string& file : launch.group.join_files()) configuration.add("cgroup", file);
  std::vector<std::string> told_at_its_start;
  if (auto files = file_limit(spec, told_at_its_start)) configuration.add("files", *files);
  SpawnRequest request;
  os::Fd mounts;
  // Where it has mounts of its own. Elsewhere they are ours already, and entering them would lead out of our root.
  if (can_make_mounts()) {
    FH_ASSIGN(mounts, mounts_of(*pid, spec.instance));
    request.passed = {mounts.get()};
    configuration.add("mount_namespace", 5);
  }
  describe_workload(configuration, spec, command, environment_of(spec, launch.mark));
  FH_ASSIGN(request.configuration, std::move(configuration).finish());
  request.keeper = options_.keeper;
  request.name = spec.instance;
  request.input = input;
  request.output = output;
  request.error = error;
  FH_ASSIGN(Spawned spawned, spawn_keeper(request));

  Command started;
  started.pidfd = os::open_child(spawned.pid);
  Answer answer = wait_for_answer(spawned.answer, options_.handshake);
  if (answer.kind == Answer::Kind::kClosed) {
    // Already ended or not: unreaped, it keeps its pid, and the pidfd tells the rest.
    started.process.pid = spawned.pid;
    if (auto id = os::identify(spawned.pid)) started.process = *id;
    return started;
  }
  if (answer.kind == Answer::Kind::kLate) ::kill(spawned.pid, SIGKILL);
  (void)os::wait_ended(started.pidfd, 2s);
  retire(std::move(started.pidfd));
  if (answer.kind == Answer::Kind::kLate)
    return Error(ErrorCode::kTimeout,
                 fmt::format("the command did not start within {}", format_short(options_.handshake)));
  return Error(errno_error("", answer.error).code(),
               explain_failure(answer.step, answer.error, command[0], spec.directory));
}

std::optional<model::Exit> Launcher::finished(const Command& command) {
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(command.pidfd.get()), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
    return std::nullopt;
  model::Exit exit;
  if (info.si_code == CLD_EXITED) {
    exit.code = info.si_status;
  } else {
    exit.signal = info.si_status;
  }
  exit.at = os::system_clock().wall();
  return exit;
}

void Launcher::kill_command(Command command) {
  // It leads a process group of its own and is not reaped before it has finished(): the number is still its own.
  if (::kill(-command.process.pid, SIGKILL) != 0) (void)os::signal_process(command.pidfd, SIGKILL).ok();
  retire(std::move(command.pidfd));
}

}  // namespace freehold::agent
