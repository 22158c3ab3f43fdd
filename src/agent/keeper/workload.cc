#include "agent/keeper/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/keeper/mounts.h"
#include "agent/keeper/text.h"

namespace freehold::keeper {
namespace {

bool write_text(const char* path, const char* text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  bool written = write(file, text, strlen(text)) >= 0;
  int error = errno;
  close(file);
  errno = error;
  return written;
}

// The kernel's own call: the C library keeps two signals to itself, and would leave them as they were inherited.
void reset_signals() {
  unsigned long by_default[4] = {};  // struct sigaction as the kernel has it
  for (int number = 1; number < 65; ++number) syscall(SYS_rt_sigaction, number, by_default, nullptr, 8);
}

const char* join_groups(const Configuration& configuration) {
  for (unsigned i = 0; i < configuration.cgroup_count; ++i) {
    if (!write_text(configuration.cgroups[i], "0")) return "join its control group";
  }
  Text<24> score;
  if (!write_text("/proc/self/oom_score_adj", score.number(configuration.oom_score).c_str()) && errno != EACCES)
    return "set its out-of-memory score";
  return nullptr;
}

const char* limit(const Configuration& configuration) {
  rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return "switch off core dumps";
  if (!configuration.has_files) return nullptr;
  rlimit files = {configuration.files, configuration.files};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) return "limit its open files";
  return nullptr;
}

const char* drop_capabilities() {
  // Without CAP_SETPCAP there is nothing to drop from: an ordinary user's process has none, and no_new_privs keeps it
  // so.
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return "drop its capabilities";
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return nullptr;
}

// A process holds the keys of its session's keyring, whoever it is: those of the person who started the platform are
// not the workload's. Where there are no keyrings, or none may be used, there is nothing to leave.
const char* leave_keyring() {
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0) return nullptr;
  return errno == ENOSYS || errno == EPERM || errno == EACCES ? nullptr : "leave the agent's keyring";
}

// The raw calls: glibc's wrappers would drag in the machinery that tells other threads.
const char* take_user(const Configuration& configuration) {
  if (const char* step = drop_capabilities()) return step;
  if (configuration.has_user) {
    if (const char* step = leave_keyring()) return step;
    gid_t group = static_cast<gid_t>(configuration.group);
    uid_t user = static_cast<uid_t>(configuration.user);
    if (syscall(SYS_setgroups, 0, nullptr) != 0) return "give up its groups";
    if (syscall(SYS_setresgid, group, group, group) != 0) return "take its group";
    if (syscall(SYS_setresuid, user, user, user) != 0) return "take its user";
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) return "drop its capabilities";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "give up new privileges";
  return nullptr;
}

const char* die_with(int parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return "tie its life to its keeper's";
  if (getppid() != parent) {
    errno = ESRCH;
    return "tie its life to its keeper's";
  }
  return nullptr;
}

bool put_at(int from, int to) {
  if (from < 0) return true;
  return from == to ? fcntl(to, F_SETFD, 0) == 0 : dup2(from, to) == to;
}

// 0, 1, 2, then the passed sockets from 3 on, the status pipe behind them, nothing else.
const char* arrange_descriptors(const Configuration& configuration, Descriptors& descriptors) {
  constexpr int kAbove = 512;  // clear of every number that is given away below
  int status = fcntl(descriptors.status, F_DUPFD_CLOEXEC, kAbove);
  if (status < 0) return "arrange its descriptors";
  descriptors.status = status;
  int sockets[kMostListen];
  for (unsigned i = 0; i < configuration.listen_count; ++i) {
    sockets[i] = fcntl(configuration.listen[i], F_DUPFD, kAbove);
    if (sockets[i] < 0) return "arrange its descriptors";
  }
  if (!put_at(descriptors.input, 0) || !put_at(descriptors.output, 1) || !put_at(descriptors.error, 2))
    return "arrange its descriptors";
  for (unsigned i = 0; i < configuration.listen_count; ++i) {
    if (!put_at(sockets[i], static_cast<int>(3 + i))) return "arrange its descriptors";
  }
  unsigned first = 3 + configuration.listen_count;
  unsigned kept = static_cast<unsigned>(status);
  if (syscall(SYS_close_range, first, kept - 1, 0) != 0 || syscall(SYS_close_range, kept + 1, ~0U, 0) != 0)
    return "arrange its descriptors";
  return nullptr;
}

// execvp by the workload's own PATH: the C library's would use ours.
void execute(const Configuration& configuration) {
  const char* program = configuration.argv[0];
  if (strchr(program, '/') != nullptr) {
    execve(program, configuration.argv, configuration.environment);
    return;
  }
  const char* path = "/usr/local/bin:/usr/bin:/bin";
  for (char** word = configuration.environment; *word != nullptr; ++word) {
    if (strncmp(*word, "PATH=", 5) == 0) path = *word + 5;
  }
  int error = ENOENT;
  while (*path != 0) {
    const char* colon = strchr(path, ':');
    size_t length = colon != nullptr ? static_cast<size_t>(colon - path) : strlen(path);
    Text<4096> whole;
    whole.add(path, length).add("/").add(program);
    if (length > 0 && !whole.full()) {
      execve(whole.c_str(), configuration.argv, configuration.environment);
      if (errno != ENOENT && errno != ENOTDIR) error = errno;
    }
    path += length + (colon != nullptr ? 1 : 0);
  }
  errno = error;
}

// LISTEN_PID cannot be known before the fork: the agent leaves a place of ten digits for it.
void tell_listen_pid(const Configuration& configuration) {
  for (char** word = configuration.environment; *word != nullptr; ++word) {
    if (strncmp(*word, "LISTEN_PID=", 11) != 0 || strlen(*word) < 21) continue;
    Text<24> pid;
    pid.number(static_cast<uint64_t>(getpid()));
    memcpy(*word + 11, pid.c_str(), pid.size() + 1);
  }
}

}  // namespace

Failure become_workload(Configuration& configuration, Descriptors descriptors, int parent) {
  const char* step = nullptr;
  auto failed = [&step](const char* name) {
    step = name;
    return step != nullptr;
  };
  reset_signals();
  setsid();
  umask(022);  // the folders that the mounts need must be passable, whatever the agent's own mask is
  // The limit on descriptors comes after their arranging, which needs high numbers for a moment.
  if (failed(join_groups(configuration)) || failed(arrange_mounts(configuration)) ||
      failed(arrange_descriptors(configuration, descriptors)) || failed(limit(configuration)) ||
      failed(take_user(configuration)) || failed(die_with(parent)))
    return {step, errno, descriptors.status};
  umask(static_cast<mode_t>(configuration.umask));
  if (chdir(configuration.cwd) != 0) return {"enter its folder", errno, descriptors.status};
  tell_listen_pid(configuration);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execute(configuration);
  return {"run its program", errno, descriptors.status};
}

}  // namespace freehold::keeper
