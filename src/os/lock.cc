#include "os/lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <cerrno>

namespace freehold::os {

Result<Fd> lock_folder(const std::string& path) {
  Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return errno_error(fmt::format("cannot open {}", path), errno);
  if (flock(folder.get(), LOCK_EX | LOCK_NB) == 0) return folder;
  return Error(ErrorCode::kConflict, fmt::format("another process is at work on {}: try again when it is done", path));
}

}  // namespace freehold::os
