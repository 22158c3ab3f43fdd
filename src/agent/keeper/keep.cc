#include "agent/keeper/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace freehold::keeper {
namespace {

// How often a log that lost lines is tried again while nothing is printed.
constexpr int kRetryMs = 2000;

uint64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

// What the workload left behind has come to us as the nearest subreaper. False if there is nobody.
bool signal_children(int number) {
  int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[1024];
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return false;
  text[length] = 0;
  // A number that the buffer cut off would name a stranger; it comes again in the next round.
  char* last = strrchr(text, ' ');
  if (last == nullptr) return false;
  *last = 0;
  for (const char* at = text; *at != 0;) {
    pid_t pid = 0;
    while (*at >= '0' && *at <= '9') pid = pid * 10 + (*at++ - '0');
    // Only we reap them, so the number cannot have been given to another.
    if (pid > 1) kill(pid, number);
    while (*at == ' ') ++at;
  }
  return true;
}

uint64_t oom_kills(int file) {
  if (file < 0) return 0;
  char text[1024];
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  if (length <= 0) return 0;
  text[length] = 0;
  return number_after(text, "oom_kill ", 0);
}

void set_time(Log& log) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  log.set_time(now);
}

// Follows what there is to wait for after the child has ended.
class Aftermath {
 public:
  explicit Aftermath(const Watch& watch) : watch_(watch) {}

  // Called in each turn once the child is gone; true when nothing more is to be waited for.
  bool over(bool children_left, bool pipes_open) {
    uint64_t now = now_ms();
    if (ended_ == 0) {
      ended_ = now;
      if (children_left) signal_children(SIGTERM);
    }
    if (!children_left && !pipes_open) return true;
    if (now - ended_ >= watch_.linger_ms || !children_left) {
      if (killed_ == 0) killed_ = now;
      if (watch_.kill_file >= 0) [[maybe_unused]]
        ssize_t written = write(watch_.kill_file, "1", 1);  // ENODEV: the group is gone, and so is all that was in it
      if (children_left) signal_children(SIGKILL);
      return now - killed_ >= watch_.drain_ms;
    }
    return false;
  }
  int timeout_ms() const {
    if (ended_ == 0) return 0;
    uint64_t now = now_ms();
    uint64_t passed = now - ended_;
    // Killing goes on in small steps: what dies may leave children of its own to us.
    return killed_ != 0 || passed >= watch_.linger_ms ? 20 : static_cast<int>(watch_.linger_ms - passed);
  }

 private:
  const Watch& watch_;
  uint64_t ended_ = 0;
  uint64_t killed_ = 0;
};

// Reaps all that are dead. True while there are children.
bool reap(pid_t child, bool& gone, Ending& ending) {
  for (;;) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) return true;
    if (pid < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (pid != child) continue;
    gone = true;
    if (WIFSIGNALED(status)) {
      ending.signal = WTERMSIG(status);
    } else {
      ending.code = WEXITSTATUS(status);
    }
  }
}

}  // namespace

void Stream::read(Log& log) {
  ssize_t count = ::read(pipe_, buffer_ + used_, kLineBytes - used_);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) {
    finish(log);
    close(pipe_);
    pipe_ = -1;
    return;
  }
  used_ += static_cast<size_t>(count);
  size_t start = 0;
  while (const void* found = memchr(buffer_ + start, '\n', used_ - start)) {
    size_t end = static_cast<size_t>(static_cast<const char*>(found) - buffer_);
    log.add(name_, buffer_ + start, end - start, false);
    continuing_ = false;
    start = end + 1;
  }
  used_ -= start;
  memmove(buffer_, buffer_ + start, used_);
  if (used_ == kLineBytes) cut(log);
}

// The buffer is one unfinished line: all of it goes out but a character that is not complete yet.
void Stream::cut(Log& log) {
  size_t end = used_;
  for (size_t back = 1; back <= 3; ++back) {
    unsigned char c = static_cast<unsigned char>(buffer_[used_ - back]);
    if ((c & 0xC0) == 0x80) continue;
    size_t whole = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    if (whole > back) end = used_ - back;
    break;
  }
  log.add(name_, buffer_, end, true);
  continuing_ = true;
  used_ -= end;
  memmove(buffer_, buffer_ + end, used_);
}

void Stream::finish(Log& log) {
  if (used_ > 0 || continuing_) log.add(name_, buffer_, used_, false);
  used_ = 0;
  continuing_ = false;
}

Ending keep(const Watch& watch, int child_signals, Stream& output, Stream& error, Log& log) {
  Ending ending;
  bool gone = false;
  bool children_left = true;
  Aftermath aftermath(watch);
  for (;;) {
    pollfd polled[3] = {{child_signals, POLLIN, 0}, {output.pipe(), POLLIN, 0}, {error.pipe(), POLLIN, 0}};
    int ready = poll(polled, 3, gone ? aftermath.timeout_ms() : log.owes_news() ? kRetryMs : -1);
    set_time(log);
    if (ready == 0 && log.owes_news()) log.tell_dropped();
    if (ready > 0) {
      if (polled[1].revents != 0) output.read(log);
      if (polled[2].revents != 0) error.read(log);
      log.flush();
      signalfd_siginfo told;
      if (polled[0].revents != 0) [[maybe_unused]]
        ssize_t taken = read(child_signals, &told, sizeof told);
    }
    children_left = reap(watch.child, gone, ending);
    // Also while there is something to read: what floods the pipes when its parent is gone would never be stopped.
    if (gone && aftermath.over(children_left, output.pipe() >= 0 || error.pipe() >= 0)) break;
  }
  output.finish(log);
  error.finish(log);
  log.flush();
  log.tell_dropped();
  ending.oom_kills = oom_kills(watch.oom_file);
  return ending;
}

}  // namespace freehold::keeper
