#include "gateway/static_root.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace freehold::gateway {
namespace {

constexpr size_t kMostPathBytes = 4096;
constexpr size_t kTagLetters = 12;  // of the digest: enough that two releases of one site never share an ETag
// O_NONBLOCK: opening a FIFO that somebody left in the folder must not stop the loop.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

}  // namespace

Result<std::unique_ptr<StaticRoot>> StaticRoot::open(const std::string& folder) {
  os::Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error(fmt::format("cannot open folder {}", folder), errno);
  std::string digest = folder.substr(folder.find_last_of('/') + 1);
  return std::unique_ptr<StaticRoot>(new StaticRoot(std::move(fd), digest.substr(0, kTagLetters)));
}

int StaticRoot::open_beneath(const std::string& path) const {
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder_.get(), path.c_str(), &how, sizeof(how)));
}

int StaticRoot::open_stepwise(const std::string& path) const {
  os::Fd at(::openat(folder_.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string_view> parts = split(path, '/');
  for (size_t i = 0; i < parts.size() && at; ++i) {
    if (parts[i].empty() || parts[i] == ".") continue;
    if (parts[i] == "..") {
      errno = EXDEV;
      return -1;
    }
    // O_PATH and O_NOFOLLOW together open a symlink itself, which O_DIRECTORY then refuses.
    int flags = i + 1 == parts.size() ? kFlags : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    at.reset(::openat(at.get(), std::string(parts[i]).c_str(), flags));
  }
  if (!at) return -1;
  struct stat status{};
  if (::fstat(at.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return ::openat(at.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  return at.release();
}

Result<StaticFile> StaticRoot::open_file(std::string_view path) const {
  Error missing(ErrorCode::kNotFound, "no such file");
  if (path.size() > kMostPathBytes || path.find('\0') != std::string_view::npos || path.starts_with('/'))
    return missing;
  std::string name(path.empty() ? "." : path);
  int number = fallback_ ? open_stepwise(name) : open_beneath(name);
  if (number < 0 && (errno == ENOSYS || errno == EPERM)) number = open_stepwise(name);
  if (number < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) return errno_error("cannot open a static file", errno);
    return missing;
  }
  os::Fd fd(number);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return missing;
  bool folder = S_ISDIR(status.st_mode);
  if (!folder && !S_ISREG(status.st_mode)) return missing;
  return StaticFile{std::move(fd), folder, static_cast<uint64_t>(status.st_size),
                    std::chrono::seconds(status.st_ctim.tv_sec) + std::chrono::nanoseconds(status.st_ctim.tv_nsec),
                    status.st_ino};
}

}  // namespace freehold::gateway
