// freehold-keeper: the parent of one workload. It owes nobody anything: no allocation, no library, no agent.
//
// Started by the agent with a configuration on descriptor 3 and a pipe for the answer on 4
// (docs/operations/keeper-protocol.md). Its own memory is what a hundred instances cost, hence the C library's plain
// headers and static buffers.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

#include "agent/keeper/configuration.h"
#include "agent/keeper/keep.h"
#include "agent/keeper/log.h"
#include "agent/keeper/record.h"
#include "agent/keeper/workload.h"

namespace freehold::keeper {
namespace {

// In .bss: pages that are never touched cost nothing.
Configuration configuration;
Log the_log;
Stream output;
Stream error_output;
Records records;

void answer(const char* text, size_t length) {
  [[maybe_unused]] ssize_t written = write(kReadyDescriptor, text, length);
}

void answer_failed(const char* step, int error) {
  Text<160> text;
  text.add("failed ").number(static_cast<uint64_t>(error)).add(" ").add(step).add("\n");
  answer(text.c_str(), text.size());
}

[[noreturn]] void give_up(const char* step, int error) {
  answer_failed(step, error);
  _exit(1);
}

void ignore_signals() {
  // Only SIGKILL ends a keeper: whoever stops the instance stops the workload. SIGXFSZ and SIGXCPU too: a file size
  // limit that somebody's shell passed on makes a write to the log fail, which is counted, and no end.
  for (int number = 1; number < SIGRTMAX; ++number) {
    bool own_fault = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
                     number == SIGABRT || number == SIGTRAP || number == SIGSYS;
    if (!own_fault && number != SIGCHLD) signal(number, SIG_IGN);
  }
}

int open_or_none(const char* path, int flags) { return path == nullptr ? -1 : open(path, flags | O_CLOEXEC); }

// The child's side of the fork.
[[noreturn]] void run_child(int go, Descriptors descriptors, pid_t keeper) {
  char byte = 0;
  // Nothing comes if the keeper could not write down who we are, or died.
  if (read(go, &byte, 1) != 1) _exit(1);
  Failure failure = become_workload(configuration, descriptors, keeper);
  Text<128> text;
  text.number(static_cast<uint64_t>(failure.error)).add(" ").add(failure.step);
  [[maybe_unused]] ssize_t written = write(failure.status, text.c_str(), text.size());
  _exit(1);
}

// What the child says on its way to exec; an empty text is success, since exec closes the pipe.
struct Report {
  char text[128];
  ssize_t length = 0;
};

Report read_report(int status) {
  Report report;
  do {
    report.length = read(status, report.text, sizeof report.text - 1);
  } while (report.length < 0 && errno == EINTR);
  report.text[report.length < 0 ? 0 : report.length] = 0;
  return report;
}

void answer_running(Identity keeper, Identity child) {
  Text<128> text;
  text.add("running ").number(static_cast<uint64_t>(keeper.pid)).add(" ").number(keeper.start);
  text.add(" ").number(static_cast<uint64_t>(child.pid)).add(" ").number(child.start).add("\n");
  answer(text.c_str(), text.size());
}

int block_child_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int run_instance() {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (int error = records.open(configuration.folder)) give_up("write into the instance's folder", error);
  int log_folder = open(configuration.log_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (log_folder < 0) give_up("open the log's folder", errno);
  the_log.open(log_folder, configuration.log_name, configuration.service, configuration.instance,
               {configuration.log_bytes, configuration.log_files, configuration.log_seconds});
  Watch watch;
  watch.kill_file = open_or_none(configuration.kill_file, O_WRONLY);
  watch.oom_file = open_or_none(configuration.oom_file, O_RDONLY);
  watch.linger_ms = configuration.linger_ms;
  watch.drain_ms = configuration.drain_ms;

  int out[2], err[2], go[2], status[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0 ||
      pipe2(status, O_CLOEXEC) != 0)
    give_up("make its pipes", errno);
  int child_signals = block_child_signals();
  if (child_signals < 0) give_up("watch its child", errno);

  pid_t keeper = getpid();
  pid_t child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (child < 0) give_up("fork", errno);
  if (child == 0) {
    close(go[1]);
    run_child(go[0], {0, out[1], err[1], status[1]}, keeper);
  }
  close(out[1]);
  close(err[1]);
  close(go[0]);
  close(status[1]);
  watch.child = child;
  Identity keeper_id = {keeper, start_time(keeper)};
  Identity child_id = {child, start_time(child)};
  if (int error = records.write_pid(configuration.boot, keeper_id, child_id)) give_up("write down its process", error);
  if (write(go[1], "g", 1) != 1) give_up("start its child", errno);
  close(go[1]);

  Report report = read_report(status[0]);
  close(status[0]);
  const char* step = "";
  int error = 0;
  if (report.length > 0) {
    error = static_cast<int>(number_after(report.text, "", 0));
    const char* space = strchr(report.text, ' ');
    step = space != nullptr ? space + 1 : "start";
    answer_failed(step, error);
  } else {
    answer_running(keeper_id, child_id);
  }
  close(kReadyDescriptor);
  for (unsigned i = 0; i < configuration.listen_count; ++i) close(configuration.listen[i]);
  configuration.discard();  // the environment may hold secrets
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

  output.open(out[0], "stdout");
  error_output.open(err[0], "stderr");
  Ending ending = keep(watch, child_signals, output, error_output, the_log);
  ending.step = step;
  ending.error = error;
  return records.write_exit(ending) == 0 ? 0 : 1;
}

// A command beside a running instance: this process itself becomes it, with the descriptors it was given.
int run_command() {
  int status = fcntl(kReadyDescriptor, F_DUPFD_CLOEXEC, kFirstPassedDescriptor);
  if (status < 0) give_up("make its pipes", errno);
  fcntl(kReadyDescriptor, F_SETFD, FD_CLOEXEC);
  Failure failure = become_workload(configuration, {-1, -1, -1, status}, getppid());
  // The answer's own number was given away or closed on the way.
  dup2(failure.status, kReadyDescriptor);
  give_up(failure.step, failure.error);
}

}  // namespace
}  // namespace freehold::keeper

int main() {
  using namespace freehold::keeper;
  ignore_signals();
  umask(027);
  int error = configuration.read(kConfigurationDescriptor);
  if (error != 0) give_up("read its configuration", error);
  close(kConfigurationDescriptor);
  if (configuration.mode == Mode::kCommand) return run_command();
  if (chdir("/") != 0) give_up("leave the agent's folder", errno);
  return run_instance();
}
