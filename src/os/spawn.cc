#include "os/spawn.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "os/fd.h"

namespace freehold::os {
namespace {

// In the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const char* program, char* const* words, char* const* environment, const char* output,
                         bool new_session, int report) {
  auto fail = [&] {
    int number = errno;
    [[maybe_unused]] auto written = write(report, &number, sizeof number);
    _exit(127);
  };
  if (new_session) setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) signal(number, SIG_DFL);
  if (*output != '\0') {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (null < 0 || log < 0) fail();
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
  }
  execve(program, words, environment);
  fail();
  __builtin_unreachable();
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<pid_t> spawn(const SpawnOptions& options) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return errno_error("cannot make a pipe", errno);
  Fd readable(pipe_ends[0]);
  Fd writable(pipe_ends[1]);
  std::vector<char*> words = pointers(options.words);
  std::vector<char*> environment = pointers(options.environment);
  pid_t child = fork();
  if (child < 0) return errno_error("cannot fork", errno);
  if (child == 0) {
    become(options.words[0].c_str(), words.data(), environment.data(), options.standard_output.c_str(),
           options.new_session, writable.get());
  }
  writable.reset();
  int number = 0;
  ssize_t count = 0;
  do count = read(readable.get(), &number, sizeof number);
  while (count < 0 && errno == EINTR);
  if (count == 0) return child;  // the pipe closed at exec: it runs
  waitpid(child, nullptr, 0);
  return errno_error(fmt::format("cannot start {}", options.words[0]), number);
}

Result<std::string> own_executable() {
  std::array<char, PATH_MAX> path{};
  ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return errno_error("cannot read /proc/self/exe", errno);
  std::string out(path.data(), static_cast<size_t>(length));
  // A binary that was replaced while it runs: the new one has the same path.
  constexpr std::string_view kDeleted = " (deleted)";
  if (out.ends_with(kDeleted)) out.resize(out.size() - kDeleted.size());
  return out;
}

}  // namespace freehold::os
