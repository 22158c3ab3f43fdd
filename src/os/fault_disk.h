// FaultDisk: a Disk in memory whose power can be cut, for tests of everything that claims to be durable.
//
//   FaultDisk disk;
//   disk.crash_at(7);          // the seventh change and all that follow fail: the process "died" there
//   (void)store.put("x").ok();
//   disk.power_cut(nullptr);   // what was not synced is gone; the disk works again
//   ... open the store again and see what it has
//
// The model. A file's bytes are durable up to its last sync(). A directory's entries (creations, renames, removals) are
// durable as of its last sync_directory(). A power cut takes the rest: all of it, or, with a Random, a part chosen
// entry by entry and a prefix of each file's unsynced bytes, since real disks write in any order; of what was written
// anywhere in a file (FaultFile), any of its sectors. Modes, owners and modification times are durable at once.
// make_directories() and make_symlink() create entries like any other. Paths are absolute; links within paths are not
// followed. Time stands still unless set_time() moves it. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "os/disk.h"
#include "os/random.h"

namespace freehold::os {

class FaultFile;

class FaultDisk : public Disk {
 public:
  FaultDisk();

  // Faults. Changes are counted from 1: append, sync, create, open_append, rename, remove, each directory and link
  // made, sync_directory, set_mode, set_owner.
  uint64_t changes() const { return changes_; }
  void fail_at(uint64_t change, Error error);  // that one alone; it does nothing
  void crash_at(uint64_t change);              // that one and all later ones, until power_cut()
  bool crashed() const { return crash_at_ && changes_ >= *crash_at_; }
  // That one and all later ones that need room find none, until make_room(): nothing is created, and half of what is
  // to be written is. What gives room (remove, rename, truncate) and sync go on.
  void fill_at(uint64_t change) { full_from_ = change; }
  bool filled() const { return full_from_ && changes_ >= *full_from_; }
  void make_room();
  void power_cut(Random* survival);
  void start_again() { crash_at_.reset(); }  // the process alone died: nothing is lost, nothing more is durable
  void set_capacity(Bytes bytes) { capacity_ = bytes; }  // of all file contents; an append past it writes what fits
  void set_time(Duration modified) { now_ = modified; }

  // A file that is read and written anywhere, as a database does (fault_file.h). Created if it is missing; without a
  // path it has no name, and goes when it is closed.
  Result<std::unique_ptr<FaultFile>> open_anywhere(const std::string& path, mode_t mode);

  Result<std::string> read(const std::string& path, Bytes limit) override;
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path, mode_t mode) override;
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path, mode_t mode) override;
  Result<FileInfo> info(const std::string& path) override;
  Result<std::vector<FileInfo>> list(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<void> make_symlink(const std::string& target, const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> make_directories(const std::string& path, mode_t mode) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<void> set_mode(const std::string& path, mode_t mode) override;
  Result<void> set_owner(const std::string& path, uid_t owner, gid_t group) override;
  Result<Bytes> free_space(const std::string& path) override;

 private:
  friend class FaultFile;
  struct Node;
  class Reader;
  class Writer;
  using NodePointer = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePointer>;

  // Counts a change; an error if it is to fail.
  Result<void> count_change();
  Result<void> count_creation(const std::string& path);
  uint64_t room_for(uint64_t bytes) const;
  NodePointer make_node(FileKind kind, mode_t mode);
  Result<NodePointer> find(const std::string& path) const;
  Result<NodePointer> find_folder(const std::string& path) const;
  Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, mode_t mode, bool truncate);
  static FileInfo to_info(const std::string& name, const Node& node);
  uint64_t used() const;
  static void lose_unsynced(Node& node, Random* survival);

  uint64_t changes_ = 0;
  uint64_t next_inode_ = 1;
  Duration now_{};
  std::optional<Bytes> capacity_;
  std::optional<uint64_t> crash_at_;
  std::optional<uint64_t> full_from_;
  std::optional<uint64_t> fail_at_;
  Error failure_{ErrorCode::kInternal, ""};
  std::vector<std::weak_ptr<Node>> nodes_;
  NodePointer root_;
};

}  // namespace freehold::os
