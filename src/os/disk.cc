#include "os/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "os/fd.h"
#include "os/remove_tree.h"

namespace freehold::os {
namespace {

Error failed(std::string_view verb, const std::string& path) {
  int number = errno;
  return errno_error(fmt::format("cannot {} {}", verb, path), number);
}

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

FileInfo to_info(std::string_view name, const struct stat& status) {
  FileKind kind = S_ISREG(status.st_mode)   ? FileKind::kFile
                  : S_ISDIR(status.st_mode) ? FileKind::kDirectory
                  : S_ISLNK(status.st_mode) ? FileKind::kSymlink
                                            : FileKind::kOther;
  return {std::string(name),
          kind,
          status.st_mode & 07777,
          status.st_uid,
          status.st_gid,
          static_cast<uint64_t>(status.st_size),
          std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec),
          status.st_dev,
          status.st_ino};
}

class SystemWritableFile : public WritableFile {
 public:
  SystemWritableFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<void> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("write", path_);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return failed("sync", path_);
    return {};
  }

 private:
  Fd fd_;
  std::string path_;
};

class SystemReadableFile : public ReadableFile {
 public:
  SystemReadableFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::string> read(uint64_t offset, size_t most) override {
    std::string out(most, '\0');
    size_t filled = 0;
    while (filled < most) {
      ssize_t count = ::pread(fd_.get(), out.data() + filled, most - filled, static_cast<off_t>(offset + filled));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("read", path_);
      if (count == 0) break;
      filled += static_cast<size_t>(count);
    }
    out.resize(filled);
    return out;
  }

  Result<FileInfo> info() override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) return failed("stat", path_);
    return to_info(last_component(path_), status);
  }

 private:
  Fd fd_;
  std::string path_;
};

class SystemDisk : public Disk {
 public:
  Result<std::string> read(const std::string& path, Bytes limit) override {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return failed("open", path);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return failed("stat", path);
    if (!S_ISREG(status.st_mode)) return Error(ErrorCode::kInvalid, fmt::format("{} is not a regular file", path));
    std::string out;
    for (;;) {
      // The size is a hint only: /proc files say 0, and a file may grow while it is read.
      size_t step = std::max<size_t>(
          4096, static_cast<size_t>(status.st_size) + 1 - std::min(out.size(), static_cast<size_t>(status.st_size)));
      step = std::min<size_t>(step, limit.count + 1 - out.size());
      size_t before = out.size();
      out.resize(before + step);
      ssize_t count = ::read(fd.get(), out.data() + before, step);
      if (count < 0 && errno == EINTR) count = 0, out.resize(before);
      if (count < 0) return failed("read", path);
      out.resize(before + static_cast<size_t>(count));
      if (out.size() > limit.count) {
        return Error(ErrorCode::kExhausted, fmt::format("{} is larger than {}", path, format_short(limit)));
      }
      if (count == 0) return out;
    }
  }

  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return failed("open", path);
    return std::make_unique<SystemReadableFile>(std::move(fd), path);
  }

  Result<std::unique_ptr<WritableFile>> create(const std::string& path, mode_t mode) override {
    return open_writable(path, O_TRUNC, mode);
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path, mode_t mode) override {
    return open_writable(path, O_APPEND, mode);
  }

  Result<FileInfo> info(const std::string& path) override {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return failed("stat", path);
    return to_info(last_component(path), status);
  }

  Result<std::vector<FileInfo>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return failed("list", path);
    std::vector<FileInfo> entries;
    while (dirent* entry = ::readdir(directory)) {
      std::string_view name(entry->d_name);
      if (name == "." || name == "..") continue;
      struct stat status{};
      // Removed since readdir saw it: not there any more, so not listed.
      if (::fstatat(::dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      entries.push_back(to_info(name, status));
    }
    ::closedir(directory);
    std::ranges::sort(entries, {}, &FileInfo::name);
    return entries;
  }

  Result<std::string> read_link(const std::string& path) override {
    std::string target(PATH_MAX, '\0');
    ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) return failed("read the link", path);
    target.resize(static_cast<size_t>(length));
    return target;
  }

  Result<void> make_symlink(const std::string& target, const std::string& path) override {
    if (::symlink(target.c_str(), path.c_str()) != 0) return failed("create the link", path);
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", fmt::format("{} to {}", from, to));
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) return failed("remove", path);
    return {};
  }

  Result<void> make_directories(const std::string& path, mode_t mode) override {
    for (size_t at = 1; at <= path.size(); ++at) {
      if (at != path.size() && path[at] != '/') continue;
      std::string prefix = path.substr(0, at);
      if (::mkdir(prefix.c_str(), mode) == 0) continue;
      int number = errno;
      struct stat status{};
      bool there = ::stat(prefix.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
      if (!there) return errno_error(fmt::format("cannot create the directory {}", prefix), number);
    }
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failed("open", path);
    if (::fsync(fd.get()) != 0) return failed("sync", path);
    return {};
  }

  Result<void> set_mode(const std::string& path, mode_t mode) override {
    if (::chmod(path.c_str(), mode) != 0) return failed("set the mode of", path);
    return {};
  }

  Result<void> set_owner(const std::string& path, uid_t owner, gid_t group) override {
    if (::lchown(path.c_str(), owner, group) != 0) return failed("set the owner of", path);
    return {};
  }

  Result<void> remove_tree(const std::string& path) override { return remove_system_tree(path); }

  Result<Bytes> free_space(const std::string& path) override {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) return failed("stat the file system of", path);
    return Bytes{static_cast<uint64_t>(status.f_bavail) * status.f_frsize};
  }

 private:
  static Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, int flags, mode_t mode) {
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, mode));
    if (!fd) return failed("open", path);
    return std::make_unique<SystemWritableFile>(std::move(fd), path);
  }
};

}  // namespace

Result<void> Disk::write_durably(const std::string& path, std::string_view bytes, mode_t mode) {
  std::string beside = path + ".new";
  auto write = [&]() -> Result<void> {
    FH_ASSIGN(std::unique_ptr<WritableFile> file, create(beside, mode));
    FH_TRY(file->append(bytes));
    return file->sync();
  };
  Result<void> written = write();
  if (written) written = rename(beside, path);
  if (!written) {
    // A full disk must not stay full because of what did not fit.
    (void)remove(beside).ok();
    return written;
  }
  return sync_directory(parent_path(path));
}

Result<void> Disk::remove_tree(const std::string& path) {
  auto status = info(path);
  if (!status) {
    if (status.error().code() == ErrorCode::kNotFound) return {};
    return status.error();
  }
  if (status->kind == FileKind::kDirectory) {
    FH_ASSIGN(std::vector<FileInfo> entries, list(path));
    for (const FileInfo& entry : entries) FH_TRY(remove_tree(join_path(path, entry.name)));
  }
  return remove(path);
}

Disk& system_disk() {
  static SystemDisk disk;
  return disk;
}

Result<void> link_or_copy(Disk& disk, const std::string& from, const std::string& to, mode_t mode) {
  FH_ASSIGN(FileInfo source, disk.info(from));
  auto there = disk.info(to);
  if (there && there->inode == source.inode && there->device == source.device) return {};
  std::string beside = to + ".new";
  FH_TRY(disk.remove_tree(beside));
  if (::link(from.c_str(), beside.c_str()) != 0) {
    constexpr size_t kPiece = size_t{1} << 20;
    FH_ASSIGN(std::unique_ptr<ReadableFile> reading, disk.open(from));
    FH_ASSIGN(std::unique_ptr<WritableFile> writing, disk.create(beside, mode));
    for (uint64_t offset = 0;;) {
      FH_ASSIGN(std::string piece, reading->read(offset, kPiece));
      if (piece.empty()) break;
      FH_TRY(writing->append(piece));
      offset += piece.size();
    }
    FH_TRY(writing->sync());
  }
  return disk.rename(beside, to);
}

std::string parent_path(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  if (slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string join_path(std::string_view folder, std::string_view name) {
  if (folder.empty() || folder.ends_with('/')) return fmt::format("{}{}", folder, name);
  return fmt::format("{}/{}", folder, name);
}

}  // namespace freehold::os
