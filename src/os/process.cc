#include "os/process.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "base/text.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::os {
namespace {

Error gone(pid_t pid) { return Error(ErrorCode::kNotFound, fmt::format("there is no process {}", pid)); }

}  // namespace

Result<std::string> boot_id() {
  if (const char* forged = std::getenv("FREEHOLD_BOOT_ID")) return std::string(forged);
  FH_ASSIGN(std::string text, system_disk().read("/proc/sys/kernel/random/boot_id", Bytes{64}));
  return std::string(trim(text));
}

Result<ProcessId> identify(pid_t pid) {
  auto text = system_disk().read(fmt::format("/proc/{}/stat", pid), Bytes{4096});
  if (!text) return gone(pid);
  // The second field, the name in brackets, may itself hold spaces and brackets: count from the last one.
  size_t bracket = text->rfind(')');
  if (bracket == std::string::npos || bracket + 2 > text->size()) return gone(pid);
  auto fields = split(trim(std::string_view(*text).substr(bracket + 2)), ' ');
  constexpr size_t kState = 0, kStart = 19;  // fields 3 and 22 of proc(5)
  if (fields.size() <= kStart || fields[kState] == "Z" || fields[kState] == "X") return gone(pid);
  ProcessId id{pid, 0};
  std::from_chars(fields[kStart].data(), fields[kStart].data() + fields[kStart].size(), id.start);
  return id;
}

Result<Fd> open_process(const ProcessId& process) {
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd)
    return errno == ESRCH ? gone(process.pid) : errno_error(fmt::format("cannot open process {}", process.pid), errno);
  auto now = identify(process.pid);
  if (!now || *now != process) return gone(process.pid);
  return pidfd;
}

Fd open_child(pid_t child) { return Fd(static_cast<int>(syscall(SYS_pidfd_open, child, 0))); }

bool wait_ended(const Fd& pidfd, Duration most) {
  MonotonicTime deadline = system_clock().monotonic() + most;
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - system_clock().monotonic()).count();
    pollfd polled = {pidfd.get(), POLLIN, 0};
    int ready = poll(&polled, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

Result<void> signal_process(const Fd& pidfd, int signal) {
  if (syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) != 0)
    return errno_error("cannot signal the process", errno);
  return {};
}

}  // namespace freehold::os
