// LogKeeping: what is kept of the logs of this node, all together: services', also of instances that are gone, the
// gateway's access log and the daemons' own.
//
// Writers put their files away when they are full (model::log_files); this removes the oldest of what nobody writes to,
// until no bound is passed. A file's age is that of its last line. Lines are counted only if a count is asked for, each
// once, and at most kMostCounted bytes in one sweep: until all are counted it goes by what it has seen. What a running
// instance writes to now is never removed. Blocks for the disk; single thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "model/keep.h"
#include "model/layout.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::agent {

class LogKeeping {
 public:
  static constexpr uint64_t kMostCounted = 64 << 20;

  struct Swept {
    uint64_t files = 0;  // removed
    Bytes bytes{};       // removed
    Bytes left{};
  };
  LogKeeping(os::Disk& disk, const os::Clock& clock, model::Layout layout)
      : disk_(disk), clock_(clock), layout_(std::move(layout)) {}

  // `instances`: those that may write. Errors: a folder cannot be read; a file cannot be removed, and
  // then the others were.
  Result<Swept> sweep(const model::Keep& keep, const std::set<std::string>& instances);

 private:
  struct File {
    std::string path;
    uint64_t inode = 0;
    uint64_t size = 0;
    Duration modified{};
    uint64_t number = 0;  // how often it was put away; 0: the current one
    bool written = false;
  };
  struct Counted {
    uint64_t bytes = 0;
    uint64_t lines = 0;
  };
  // Whether what was listed is still so: a writer that puts files away meanwhile renames all of its.
  Result<bool> remove_oldest(const model::Keep& keep, const std::set<std::string>& instances, Swept& swept);
  Result<std::vector<File>> list(const std::set<std::string>& instances);
  uint64_t count_lines(const std::vector<File>& files);
  Result<bool> remove(const File& file, Swept& swept);

  os::Disk& disk_;
  const os::Clock& clock_;
  const model::Layout layout_;
  std::map<uint64_t, Counted> counted_;  // by inode
};

}  // namespace freehold::agent
