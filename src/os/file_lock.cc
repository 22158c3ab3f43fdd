#include "os/file_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/file.h>

#include <cerrno>

#include "os/clock.h"

namespace freehold::os {

Result<FileLock> FileLock::acquire(const std::string& path, Duration most) {
  constexpr int kRetryMilliseconds = 5;
  Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return errno_error(fmt::format("cannot open {}", path), errno);
  MonotonicTime deadline = system_clock().monotonic() + most;
  // flock(2) has no time limit of its own.
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return errno_error(fmt::format("cannot lock {}", path), errno);
    if (system_clock().monotonic() >= deadline)
      return Error(ErrorCode::kUnavailable,
                   fmt::format("{} is locked by another process for {}", path, format_short(most)));
    poll(nullptr, 0, kRetryMilliseconds);
  }
  return FileLock(std::move(file));
}

}  // namespace freehold::os
