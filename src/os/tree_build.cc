#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "os/tree.h"

namespace freehold::os {
namespace {

// The parts of a path below the root; nothing for the root itself.
Result<std::vector<std::string_view>> parts_of(std::string_view path) {
  if (path.empty()) return std::vector<std::string_view>();
  std::vector<std::string_view> parts = split(path, '/');
  bool inside = std::ranges::none_of(parts, [](std::string_view part) {
    return part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos;
  });
  if (inside && parts.size() <= kMostTreeDepth + 1) return parts;
  return Error(ErrorCode::kInvalid, "a path leads outside of its folder, or too deep");
}

timespec to_timespec(Duration since_epoch) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((since_epoch - seconds).count())};
}

}  // namespace

Error TreeBuilder::failed(std::string_view what, const std::string& path) const {
  int number = errno;
  return errno_error(fmt::format("cannot {} {}/{}", what, root_, path), number);
}

Result<std::unique_ptr<TreeBuilder>> TreeBuilder::open(const std::string& root, Owners owners) {
  std::unique_ptr<TreeBuilder> builder(new TreeBuilder(root, owners));
  Level level;
  level.fd.reset(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!level.fd) return errno_error(fmt::format("cannot open {}", root), errno);
  builder->levels_.push_back(std::move(level));
  return builder;
}

// Owner first: changing it takes away set-user-id bits.
Result<void> TreeBuilder::settle(int fd, const TreeEntry& entry) const {
  if (owners_ == Owners::kAsGiven && fchown(fd, entry.owner, entry.group) != 0)
    return failed("set the owner of", entry.path);
  if (fchmod(fd, entry.mode) != 0) return failed("set the mode of", entry.path);
  const timespec times[2] = {{0, UTIME_OMIT}, to_timespec(entry.modified)};
  if (futimens(fd, times) != 0) return failed("set the time of", entry.path);
  return {};
}

Result<void> TreeBuilder::settle_link(int folder, const std::string& name, const TreeEntry& entry) const {
  if (owners_ == Owners::kAsGiven && fchownat(folder, name.c_str(), entry.owner, entry.group, AT_SYMLINK_NOFOLLOW) != 0)
    return failed("set the owner of", entry.path);
  const timespec times[2] = {{0, UTIME_OMIT}, to_timespec(entry.modified)};
  if (utimensat(folder, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return failed("set the time of", entry.path);
  return {};
}

Result<void> TreeBuilder::leave_to(size_t depth) {
  while (levels_.size() > depth) {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    if (level.given) FH_TRY(settle(level.fd.get(), level.entry));
  }
  return {};
}

// Makes levels_ be the root and these folders.
Result<void> TreeBuilder::enter(const std::vector<std::string_view>& folders) {
  size_t kept = 0;
  while (kept < folders.size() && kept + 1 < levels_.size() && levels_[kept + 1].name == folders[kept]) ++kept;
  FH_TRY(leave_to(kept + 1));
  for (; kept < folders.size(); ++kept) {
    Level level;
    level.name = std::string(folders[kept]);
    int above = levels_.back().fd.get();
    if (mkdirat(above, level.name.c_str(), 0700) != 0 && errno != EEXIST)
      return failed("create the folder", level.name);
    level.fd.reset(openat(above, level.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!level.fd) return failed("open the folder", level.name);
    levels_.push_back(std::move(level));
  }
  return {};
}

Result<void> TreeBuilder::end_file() {
  if (!file_) return {};
  Fd file = std::move(file_);
  if (extent_ < file_entry_.extents.size())
    return Error(ErrorCode::kInvalid, fmt::format("{}/{} got less than it has", root_, file_entry_.path));
  // A hole at the end, too.
  if (ftruncate(file.get(), static_cast<off_t>(file_entry_.size)) != 0) return failed("write", file_entry_.path);
  return settle(file.get(), file_entry_);
}

Result<void> TreeBuilder::make_hard_link(int folder, const std::string& name, const TreeEntry& entry) const {
  FH_ASSIGN(std::vector<std::string_view> parts, parts_of(entry.target));
  if (parts.empty()) return Error(ErrorCode::kInvalid, "a hard link leads to a folder");
  Fd step;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    int above = step ? step.get() : levels_.front().fd.get();
    Fd next(openat(above, std::string(parts[i]).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return failed("find the target of", entry.path);
    step = std::move(next);
  }
  int above = step ? step.get() : levels_.front().fd.get();
  if (linkat(above, std::string(parts.back()).c_str(), folder, name.c_str(), 0) != 0) return failed("link", entry.path);
  return {};
}

Result<void> TreeBuilder::make(int folder, const std::string& name, const TreeEntry& entry) {
  if (entry.kind == TreeKind::kHardLink) return make_hard_link(folder, name, entry);
  if (entry.kind == TreeKind::kSymlink) {
    if (symlinkat(entry.target.c_str(), folder, name.c_str()) != 0) return failed("create the link", entry.path);
    return settle_link(folder, name, entry);
  }
  file_.reset(openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) return failed("create", entry.path);
  file_entry_ = entry;
  extent_ = 0;
  written_ = 0;
  return {};
}

Result<void> TreeBuilder::add(const TreeEntry& entry) {
  FH_TRY(end_file());
  FH_ASSIGN(std::vector<std::string_view> parts, parts_of(entry.path));
  bool folder = entry.kind == TreeKind::kFolder;
  if (!folder && parts.empty()) return Error(ErrorCode::kInvalid, "the root of a tree is no file");
  std::string name(folder ? "" : parts.back());
  if (!folder) parts.pop_back();
  FH_TRY(enter(parts));
  if (!folder) return make(levels_.back().fd.get(), name, entry);
  levels_.back().entry = entry;
  levels_.back().given = true;
  return {};
}

Result<void> TreeBuilder::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!file_ || extent_ == file_entry_.extents.size())
      return Error(ErrorCode::kInvalid, fmt::format("{}/{} got more than it has", root_, file_entry_.path));
    const Extent& extent = file_entry_.extents[extent_];
    size_t most = std::min<uint64_t>(bytes.size(), extent.length - written_);
    ssize_t count = pwrite(file_.get(), bytes.data(), most, static_cast<off_t>(extent.offset + written_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("write", file_entry_.path);
    bytes.remove_prefix(static_cast<size_t>(count));
    written_ += static_cast<uint64_t>(count);
    if (written_ == extent.length) ++extent_, written_ = 0;
  }
  return {};
}

Result<void> TreeBuilder::finish() {
  FH_TRY(end_file());
  FH_TRY(leave_to(1));
  if (std::exchange(levels_.front().given, false)) FH_TRY(settle(levels_.front().fd.get(), levels_.front().entry));
  return {};
}

Result<void> TreeBuilder::sync() {
  if (syncfs(levels_.front().fd.get()) != 0) return failed("sync", "");
  return {};
}

}  // namespace freehold::os
