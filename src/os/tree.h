// Folders of others, read and built again: as a service left them, with links, owners, times, modes and holes.
//
// Nothing is believed of what lies there: it goes by descriptors, follows no link at any level, opens nothing but plain
// files, and bears with what changes meanwhile. Memory does not grow with the size of a tree, but for hard links (a
// name each, at most kMostHardLinks; beyond that they come as files of their own). Blocking; one thread at a time.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <compare>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "os/fd.h"

namespace freehold::os {

enum class TreeKind { kFile, kFolder, kSymlink, kHardLink };

// Bytes that a file really has; between them are holes.
struct Extent {
  uint64_t offset = 0;
  uint64_t length = 0;
  bool operator==(const Extent&) const = default;
};

struct TreeEntry {
  static constexpr size_t kMostExtents = 10'000;

  std::string path{};  // from the root, parts joined by '/'; empty: the root itself
  TreeKind kind = TreeKind::kFile;
  mode_t mode = 0;  // permission bits
  uid_t owner = 0;
  gid_t group = 0;
  Duration modified{};            // since the epoch
  uint64_t size = 0;              // of a file, with its holes
  std::vector<Extent> extents{};  // of a file: in order, not touching
  std::string target{};           // of a symlink; of a hard link, the path of the entry that it is the same file as
  uint64_t data_size() const;
  bool operator==(const TreeEntry&) const = default;
};

// The same file wherever it is found.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  auto operator<=>(const FileIdentity&) const = default;
};

inline constexpr size_t kMostTreeDepth = 128;  // folders within folders; a descriptor each
inline constexpr size_t kMostHardLinks = 1'000'000;

class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  // A folder before what is in it. A file's bytes follow by on_data: of its extents, exactly, whatever became of it.
  virtual Result<void> on_entry(const TreeEntry& entry) = 0;
  virtual Result<void> on_data(std::string_view bytes) = 0;
  // The file just given was written to meanwhile: what was given may be of several moments.
  virtual void on_changed(const std::string& path) = 0;
  enum class Why { kSpecial, kFailed };  // kSpecial: a socket, a pipe or a device
  virtual void on_left_out(const std::string& path, Why why, const std::string& reason) = 0;
};

// Errors are those of the visitor, and of a root that cannot be opened or is no folder; anything below that cannot be
// read is left out. `except` is left out without a word.
Result<void> read_tree(const std::string& root, const std::set<FileIdentity>& except, TreeVisitor& visitor);

// Builds a tree below a folder that is there, and that nobody else can write.
class TreeBuilder {
 public:
  enum class Owners { kAsGiven, kOurs };
  static Result<std::unique_ptr<TreeBuilder>> open(const std::string& root, Owners owners);

  // In the order of read_tree; missing folders above it are made, 0700. kInvalid for a path that leads outside.
  Result<void> add(const TreeEntry& entry);
  // The next bytes of the extents of the file that was added last.
  Result<void> write(std::string_view bytes);
  // Ends the last file and every folder. It is all durable after sync().
  Result<void> finish();
  Result<void> sync();

 private:
  struct Level {
    std::string name;
    Fd fd;
    TreeEntry entry;     // of the folder
    bool given = false;  // `entry` is to be made so
  };
  TreeBuilder(std::string root, Owners owners) : root_(std::move(root)), owners_(owners) {}
  Error failed(std::string_view what, const std::string& path) const;
  Result<void> enter(const std::vector<std::string_view>& folders);
  Result<void> leave_to(size_t depth);
  Result<void> settle(int fd, const TreeEntry& entry) const;
  Result<void> settle_link(int folder, const std::string& name, const TreeEntry& entry) const;
  Result<void> end_file();
  Result<void> make(int folder, const std::string& name, const TreeEntry& entry);
  Result<void> make_hard_link(int folder, const std::string& name, const TreeEntry& entry) const;

  std::string root_;
  Owners owners_;
  std::vector<Level> levels_;  // the root first
  Fd file_;
  TreeEntry file_entry_;
  size_t extent_ = 0;     // that is being written
  uint64_t written_ = 0;  // of it
};

}  // namespace freehold::os
