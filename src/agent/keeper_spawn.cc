#include "agent/keeper_spawn.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "os/clock.h"

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;

// All sources are moved above every number that the keeper expects, so that none is overwritten on the way.
constexpr int kAbove = 64;

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  Result<void> give(int from, int to) {
    os::Fd copy(fcntl(from, F_DUPFD_CLOEXEC, kAbove));
    if (!copy) return errno_error("cannot pass a descriptor to the keeper", errno);
    posix_spawn_file_actions_adddup2(&actions_, copy.get(), to);
    held_.push_back(std::move(copy));
    return {};
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
  std::vector<os::Fd> held_;
};

Result<os::Fd> in_memory(const std::string& text) {
  os::Fd file(memfd_create("freehold-keeper", MFD_CLOEXEC));
  if (!file) return errno_error("cannot make the keeper's configuration", errno);
  for (size_t done = 0; done < text.size();) {
    ssize_t written = write(file.get(), text.data() + done, text.size() - done);
    if (written <= 0) return errno_error("cannot write the keeper's configuration", errno);
    done += static_cast<size_t>(written);
  }
  return file;
}

template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Answer parse(std::string_view line) {
  auto words = split(line, ' ');
  if (words[0] == "running" && words.size() == 5) {
    return {Answer::Kind::kRunning,
            {number<pid_t>(words[1]), number<uint64_t>(words[2])},
            {number<pid_t>(words[3]), number<uint64_t>(words[4])},
            "",
            0};
  }
  if (words[0] == "failed" && words.size() >= 3) {
    size_t step = words[0].size() + words[1].size() + 2;
    return {Answer::Kind::kFailed, {}, {}, std::string(line.substr(step)), number<int>(words[1])};
  }
  return {};
}

}  // namespace

Result<Spawned> spawn_keeper(const SpawnRequest& request) {
  FH_ASSIGN(os::Fd configuration, in_memory(request.configuration));
  int pipe[2];
  if (pipe2(pipe, O_CLOEXEC) != 0) return errno_error("cannot make a pipe", errno);
  os::Fd reader(pipe[0]);
  os::Fd writer(pipe[1]);
  os::Fd nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) return errno_error("cannot open /dev/null", errno);

  FileActions actions;
  auto or_nothing = [&](int descriptor) { return descriptor >= 0 ? descriptor : nothing.get(); };
  FH_TRY(actions.give(or_nothing(request.input), 0));
  FH_TRY(actions.give(or_nothing(request.output), 1));
  FH_TRY(actions.give(or_nothing(request.error), 2));
  FH_TRY(actions.give(configuration.get(), 3));
  FH_TRY(actions.give(writer.get(), 4));
  for (size_t i = 0; i < request.passed.size(); ++i) FH_TRY(actions.give(request.passed[i], static_cast<int>(5 + i)));

  std::string program = "freehold-keeper";
  std::string name = request.name;
  char* argv[] = {program.data(), name.data(), nullptr};
  std::string mark = fmt::format("{}={}", kKeeperMark, request.mark);
  char* env[] = {request.mark.empty() ? nullptr : mark.data(), nullptr};  // nothing of ours: no secrets, no settings
  Spawned spawned;
  int error = posix_spawn(&spawned.pid, request.keeper.c_str(), actions.get(), nullptr, argv, env);
  if (error != 0) return errno_error(fmt::format("cannot run {}", request.keeper), error);
  spawned.answer = std::move(reader);
  return spawned;
}

Answer wait_for_answer(const os::Fd& answer, Duration most) {
  MonotonicTime deadline = os::system_clock().monotonic() + most;
  std::string text;
  while (text.size() < 512) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - os::system_clock().monotonic());
    pollfd polled = {answer.get(), POLLIN, 0};
    int ready = left > 0ms ? poll(&polled, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return {Answer::Kind::kLate, {}, {}, "", 0};
    char bytes[256];
    ssize_t count = read(answer.get(), bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(bytes, static_cast<size_t>(count));
    if (size_t end = text.find('\n'); end != std::string::npos) return parse(std::string_view(text).substr(0, end));
  }
  return {};
}

}  // namespace freehold::agent
