#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <numeric>
#include <system_error>
#include <utility>

#include "os/tree.h"

namespace freehold::os {
namespace {

constexpr size_t kPiece = 256 << 10;

std::string reason(int number) { return std::generic_category().message(number); }

TreeEntry to_entry(std::string path, const struct stat& status) {
  TreeEntry entry;
  entry.path = std::move(path);
  entry.kind = S_ISDIR(status.st_mode)   ? TreeKind::kFolder
               : S_ISLNK(status.st_mode) ? TreeKind::kSymlink
                                         : TreeKind::kFile;
  entry.mode = status.st_mode & 07777;
  entry.owner = status.st_uid;
  entry.group = status.st_gid;
  entry.modified = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  if (S_ISREG(status.st_mode)) entry.size = static_cast<uint64_t>(status.st_size);
  return entry;
}

FileIdentity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

bool same(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

bool is_unchanged(const struct stat& before, const struct stat& after) {
  return before.st_size == after.st_size && same(before.st_mtim, after.st_mtim) && same(before.st_ctim, after.st_ctim);
}

std::vector<Extent> extents_of(int fd, uint64_t size) {
  std::vector<Extent> out;
  for (uint64_t at = 0; at < size;) {
    off_t data = lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // a hole up to the end
    uint64_t begin = data < 0 ? at : static_cast<uint64_t>(data);
    if (begin >= size) break;
    // A file in more pieces than that has its last holes filled.
    off_t hole = data < 0 || out.size() + 1 == TreeEntry::kMostExtents ? -1 : lseek(fd, data, SEEK_HOLE);
    uint64_t end = hole <= data ? size : std::min(size, static_cast<uint64_t>(hole));
    out.push_back({begin, end - begin});
    at = end;
  }
  return out;
}

class TreeReader {
 public:
  TreeReader(const std::set<FileIdentity>& except, TreeVisitor& visitor) : except_(except), visitor_(visitor) {}

  Result<void> read_folder(const Fd& folder, const std::string& path, size_t depth);

 private:
  Result<void> read_one(int folder, const char* name, const std::string& path, size_t depth);
  Result<void> read_link(int folder, const char* name, TreeEntry entry);
  Result<void> read_file(const Fd& file, const std::string& path);
  Result<void> read_data(const Fd& file, const TreeEntry& entry);
  void fail(const std::string& path, int number) {
    // What was removed since it was listed is not there, and that is all.
    if (number != ENOENT) visitor_.on_left_out(path, TreeVisitor::Why::kFailed, reason(number));
  }

  const std::set<FileIdentity>& except_;
  TreeVisitor& visitor_;
  std::map<FileIdentity, std::string> linked_;
};

struct CloseList {
  void operator()(DIR* list) const { closedir(list); }
};

Result<void> TreeReader::read_folder(const Fd& folder, const std::string& path, size_t depth) {
  // The list has a position of its own, so it gets a descriptor of its own.
  Fd copy(openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, CloseList> list(copy ? fdopendir(copy.get()) : nullptr);
  if (!list) {
    fail(path, errno);
    return {};
  }
  (void)copy.release();
  for (;;) {
    errno = 0;
    dirent* entry = readdir(list.get());
    if (entry == nullptr) {
      if (errno != 0) fail(path, errno);
      return {};
    }
    std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    FH_TRY(read_one(folder.get(), entry->d_name, path.empty() ? std::string(name) : fmt::format("{}/{}", path, name),
                    depth));
  }
}

Result<void> TreeReader::read_one(int folder, const char* name, const std::string& path, size_t depth) {
  struct stat status{};
  if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return fail(path, errno), Result<void>();
  if (except_.contains(identity_of(status))) return {};
  if (path.size() >= PATH_MAX) return fail(path, ENAMETOOLONG), Result<void>();
  if (S_ISLNK(status.st_mode)) return read_link(folder, name, to_entry(path, status));
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    visitor_.on_left_out(path, TreeVisitor::Why::kSpecial, "a socket, a pipe or a device");
    return {};
  }
  // It may be another by now: what is opened decides. Not blocking: it may be a pipe by now.
  Fd opened(openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!opened || fstat(opened.get(), &status) != 0) return fail(path, errno), Result<void>();
  if (S_ISREG(status.st_mode)) return read_file(opened, path);
  if (!S_ISDIR(status.st_mode)) return {};
  if (depth == kMostTreeDepth) return fail(path, ELOOP), Result<void>();
  FH_TRY(visitor_.on_entry(to_entry(path, status)));
  return read_folder(opened, path, depth + 1);
}

Result<void> TreeReader::read_link(int folder, const char* name, TreeEntry entry) {
  std::string target(PATH_MAX, '\0');
  ssize_t length = readlinkat(folder, name, target.data(), target.size());
  if (length < 0) return fail(entry.path, errno), Result<void>();
  target.resize(static_cast<size_t>(length));
  entry.target = std::move(target);
  return visitor_.on_entry(entry);
}

Result<void> TreeReader::read_file(const Fd& file, const std::string& path) {
  struct stat before{};
  if (fstat(file.get(), &before) != 0) return fail(path, errno), Result<void>();
  TreeEntry entry = to_entry(path, before);
  if (before.st_nlink > 1) {
    auto first = linked_.find(identity_of(before));
    if (first != linked_.end()) {
      entry.kind = TreeKind::kHardLink;
      entry.target = first->second;
      entry.size = 0;
      return visitor_.on_entry(entry);
    }
    if (linked_.size() < kMostHardLinks) linked_.emplace(identity_of(before), path);
  }
  entry.extents = extents_of(file.get(), entry.size);
  // Read before anything is said of it: a disk that fails at its first byte leaves the file out.
  char first = 0;
  if (entry.size > 0 && pread(file.get(), &first, 1, 0) < 0) return fail(path, errno), Result<void>();
  FH_TRY(visitor_.on_entry(entry));
  FH_TRY(read_data(file, entry));
  struct stat after{};
  if (fstat(file.get(), &after) != 0 || !is_unchanged(before, after)) visitor_.on_changed(path);
  return {};
}

Result<void> TreeReader::read_data(const Fd& file, const TreeEntry& entry) {
  std::string piece(kPiece, '\0');
  bool told = false;
  for (const Extent& extent : entry.extents) {
    for (uint64_t done = 0; done < extent.length;) {
      size_t most = std::min<uint64_t>(kPiece, extent.length - done);
      ssize_t count = pread(file.get(), piece.data(), most, static_cast<off_t>(extent.offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && !std::exchange(told, true))
        visitor_.on_left_out(entry.path, TreeVisitor::Why::kFailed, reason(errno));
      // It was cut since, or cannot be read: what was promised is given all the same.
      if (count <= 0) std::fill_n(piece.begin(), most, '\0'), count = static_cast<ssize_t>(most);
      FH_TRY(visitor_.on_data(std::string_view(piece).substr(0, static_cast<size_t>(count))));
      done += static_cast<uint64_t>(count);
    }
  }
  return {};
}

}  // namespace

uint64_t TreeEntry::data_size() const {
  return std::accumulate(extents.begin(), extents.end(), uint64_t{0},
                         [](uint64_t sum, const Extent& extent) { return sum + extent.length; });
}

Result<void> read_tree(const std::string& root, const std::set<FileIdentity>& except, TreeVisitor& visitor) {
  Fd folder(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!folder || fstat(folder.get(), &status) != 0) return errno_error(fmt::format("cannot read {}", root), errno);
  FH_TRY(visitor.on_entry(to_entry("", status)));
  return TreeReader(except, visitor).read_folder(folder, "", 1);
}

}  // namespace freehold::os
