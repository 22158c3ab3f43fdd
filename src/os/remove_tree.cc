#include "os/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "os/disk.h"
#include "os/fd.h"

namespace freehold::os {
namespace {

// One descriptor is open for each level; a directory that lies deeper is moved to the top and emptied from there.
constexpr int kMostDepth = 32;
constexpr int kMostPasses = 1 << 16;

// 0, or an errno.
class Emptier {
 public:
  int remove_directory(const char* path) {
    Fd top = open_folder(AT_FDCWD, path);
    if (!top) return errno;
    top_ = top.get();
    for (int pass = 0; pass < kMostPasses; ++pass) {
      if (int error = empty(top_, 0)) return error;
      if (rmdir(path) == 0) return 0;
      // Something was moved up, or came while we were at it.
      if (errno != ENOTEMPTY && errno != EEXIST) return errno;
    }
    return EBUSY;
  }

 private:
  struct Closer {
    void operator()(DIR* directory) const { closedir(directory); }
  };

  int empty(int directory, int depth) {
    // The list has a position of its own, so it gets a descriptor of its own.
    Fd copy(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!copy) return errno;
    std::unique_ptr<DIR, Closer> list(fdopendir(copy.get()));
    if (!list) return errno;
    (void)copy.release();
    for (;;) {
      errno = 0;
      dirent* entry = readdir(list.get());
      if (entry == nullptr) return errno;
      std::string_view name(entry->d_name);
      if (name == "." || name == "..") continue;
      if (int error = remove(directory, entry->d_name, depth)) return error;
    }
  }

  int remove(int directory, const char* name, int depth) {
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return errno;
    if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
    if (errno != ENOTEMPTY && errno != EEXIST) return errno;
    if (depth == kMostDepth) return move_up(directory, name);
    Fd inner = open_folder(directory, name);
    // Whatever somebody put in its place, or into it, is removed in the next pass.
    if (!inner) return errno == ENOTDIR || errno == ELOOP || errno == ENOENT ? 0 : errno;
    if (int error = empty(inner.get(), depth + 1)) return error;
    if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
    return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR ? 0 : errno;
  }

  int move_up(int directory, const char* name) {
    std::string higher = fmt::format(".freehold-removed-{}", ++moves_);
    if (renameat(directory, name, top_, higher.c_str()) == 0 || errno == ENOENT) return 0;
    return errno;
  }

  static Fd open_folder(int directory, const char* name) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd inner(openat(directory, name, kFlags));
    if (geteuid() == 0) return inner;
    // Our own, but closed to us.
    if (!inner && errno == EACCES && fchmodat(directory, name, S_IRWXU, 0) == 0)
      inner.reset(openat(directory, name, kFlags));
    if (inner) (void)fchmod(inner.get(), S_IRWXU);
    return inner;
  }

  int top_ = -1;
  uint64_t moves_ = 0;
};

}  // namespace

Result<void> remove_system_tree(const std::string& path) {
  auto failed = [&](int error) -> Result<void> {
    if (error == ENOENT) return {};
    if (error == EBUSY) return Error(ErrorCode::kUnavailable, fmt::format("{} is in use and cannot be removed", path));
    return errno_error(fmt::format("cannot remove {}", path), error);
  };
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) return failed(errno);
  if (!S_ISDIR(status.st_mode)) return unlink(path.c_str()) == 0 ? Result<void>() : failed(errno);
  int error = Emptier().remove_directory(path.c_str());
  return error == 0 ? Result<void>() : failed(error);
}

}  // namespace freehold::os
