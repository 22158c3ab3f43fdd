#include "auth/key_file.h"

#include <fmt/core.h>

namespace freehold::auth {

Result<std::string> read_key_file(os::Disk& disk, const std::string& path) {
  FH_ASSIGN(os::FileInfo info, disk.info(path));
  if (info.kind != os::FileKind::kFile)
    return Error(ErrorCode::kInvalid, fmt::format("{} is not a regular file", path));
  if ((info.mode & 0077) != 0) {
    return Error(ErrorCode::kDenied,
                 fmt::format("{} may be used by others than its owner (mode {:04o}): make it 0600, and replace it if "
                             "somebody may have read it",
                             path, info.mode));
  }
  return disk.read(path, Bytes{4096});
}

Result<void> settle_key_file(os::Disk& disk, const std::string& path) {
  return disk.sync_directory(os::parent_path(path));
}

Result<void> write_key_file(os::Disk& disk, const std::string& path, std::string_view bytes) {
  return disk.write_durably(path, bytes, 0600);
}

}  // namespace freehold::auth
