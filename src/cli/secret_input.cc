#include "cli/secret_input.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "cli/output.h"
#include "os/disk.h"

namespace freehold::cli {
namespace {

Error others_can_read(const std::string& path) {
  return Error(ErrorCode::kDenied,
               fmt::format("{} can be read by others: chmod 600 it, and use another if somebody may "
                           "have read it",
                           path));
}

Result<keep::Key> read_key_file(const std::string& path) {
  os::Disk& disk = os::system_disk();
  FH_ASSIGN(std::string text, disk.read(path, Bytes{keep::Key::kMostFile}));
  auto key = keep::Key::from_file(text);
  if (!key) return key.error().with_context(path);
  FH_ASSIGN(os::FileInfo info, disk.info(path));
  if (key->opens() && (info.mode & 077) != 0) return others_can_read(path);
  return key;
}

Result<keep::Key> read_passphrase_file(const std::string& path) {
  os::Disk& disk = os::system_disk();
  FH_ASSIGN(os::FileInfo info, disk.info(path));
  if ((info.mode & 077) != 0) return others_can_read(path);
  FH_ASSIGN(std::string text, disk.read(path, Bytes{keep::Key::kMostPassphrase + 1}));
  if (text.ends_with('\n')) text.pop_back();
  if (text.find('\n') != std::string::npos)
    return Error(ErrorCode::kInvalid, fmt::format("{} has more than one line: a passphrase is one", path));
  auto key = keep::Key::from_passphrase(text);
  return key ? std::move(key) : key.error().with_context(path);
}

// What is typed is not shown while this lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    tcgetattr(terminal_, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  ~Silence() { tcsetattr(terminal_, TCSAFLUSH, &before_); }
  Silence(const Silence&) = delete;

 private:
  int terminal_;
  termios before_{};
};

Result<std::string> ask(const os::Fd& terminal, std::string_view question, Signals& signals,
                        std::optional<int>& ended_by) {
  Silence silence(terminal.get());
  talk(question);
  std::string line;
  while (!line.ends_with('\n') && line.size() <= keep::Key::kMostPassphrase) {
    pollfd waiting[2] = {{terminal.get(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) return errno_error("cannot wait for the terminal", errno);
    ended_by = signals.take();
    if (ended_by) return Error(ErrorCode::kCancelled, "nothing was done");
    if ((waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    char piece[256];
    ssize_t count = read(terminal.get(), piece, sizeof piece);
    if (count <= 0) break;
    line.append(piece, static_cast<size_t>(count));
  }
  talk("\n");
  if (line.ends_with('\n')) line.pop_back();
  return line;
}

}  // namespace

Result<keep::Key> read_key(const Invocation& invocation, Asked asked, Signals& signals, std::optional<int>& ended_by) {
  if (!invocation.key_file.empty()) return read_key_file(invocation.key_file);
  if (!invocation.passphrase_file.empty()) return read_passphrase_file(invocation.passphrase_file);
  os::Fd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) {
    return Error(ErrorCode::kInvalid,
                 "there is no terminal to ask for the passphrase on: use --passphrase-file or --key-file");
  }
  FH_ASSIGN(std::string words, ask(terminal, "Passphrase: ", signals, ended_by));
  if (asked == Asked::kTwice) {
    FH_ASSIGN(std::string again, ask(terminal, "Once more: ", signals, ended_by));
    if (again != words) return Error(ErrorCode::kInvalid, "the two are not the same: nothing was done");
  }
  return keep::Key::from_passphrase(words);
}

}  // namespace freehold::cli
