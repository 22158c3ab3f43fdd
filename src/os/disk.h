// The one seam for files. Everything durable goes through a Disk, so that tests can fill it, fail it and cut its power.
//
// Paths are absolute or relative to the working directory. All calls block; none retries. Errors name the path.
// Thread safety: the system disk may be used from any thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace freehold::os {

enum class FileKind { kFile, kDirectory, kSymlink, kOther };

struct FileInfo {
  std::string name;  // last component
  FileKind kind = FileKind::kOther;
  mode_t mode = 0;  // permission bits only
  uid_t owner = 0;
  gid_t group = 0;
  uint64_t size = 0;
  Duration modified{};  // since the epoch
  uint64_t device = 0;
  uint64_t inode = 0;
};

// A file that is being written from its start or appended to. Nothing is durable before sync() has returned.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Result<void> append(std::string_view bytes) = 0;
  virtual Result<void> sync() = 0;
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Reads up to `most` bytes at `offset`; an empty string means the end.
  virtual Result<std::string> read(uint64_t offset, size_t most) = 0;
  // Of the file that is open, whatever its path names by now.
  virtual Result<FileInfo> info() = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // The whole file; kExhausted if it is longer than `limit`, kInvalid if it is no regular file.
  virtual Result<std::string> read(const std::string& path, Bytes limit) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> open(const std::string& path) = 0;
  // Creates or truncates.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path, mode_t mode) = 0;
  virtual Result<std::unique_ptr<WritableFile>> open_append(const std::string& path, mode_t mode) = 0;
  virtual Result<FileInfo> info(const std::string& path) = 0;  // of a symlink itself, not of its target
  // Sorted by name, without "." and "..".
  virtual Result<std::vector<FileInfo>> list(const std::string& path) = 0;
  virtual Result<std::string> read_link(const std::string& path) = 0;
  virtual Result<void> make_symlink(const std::string& target, const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;  // a file or an empty directory
  // Creates what is missing of the path; an existing directory is left as it is.
  virtual Result<void> make_directories(const std::string& path, mode_t mode) = 0;
  virtual Result<void> sync_directory(const std::string& path) = 0;
  virtual Result<void> set_mode(const std::string& path, mode_t mode) = 0;
  virtual Result<void> set_owner(const std::string& path, uid_t owner, gid_t group) = 0;
  virtual Result<Bytes> free_space(const std::string& path) = 0;

  bool exists(const std::string& path) { return info(path).ok(); }
  // All or nothing, and durable once it returns: written beside, synced, renamed over, directory synced.
  Result<void> write_durably(const std::string& path, std::string_view bytes, mode_t mode);
  // A directory with everything in it; symlinks are removed, not followed. A missing path is no error.
  virtual Result<void> remove_tree(const std::string& path);
};

// The machine's file system. Lives for the whole program.
Disk& system_disk();

// Makes `to` the same file as `from` (a hard link), or a copy of it where the file system does not allow that. One that
// is there is replaced, unless it is the same already.
Result<void> link_or_copy(Disk& disk, const std::string& from, const std::string& to, mode_t mode);

std::string parent_path(std::string_view path);  // "/a/b" -> "/a", "a" -> ".", "/" -> "/"
std::string join_path(std::string_view folder, std::string_view name);

}  // namespace freehold::os
