// FaultFile: a file of a FaultDisk that is read and written anywhere, which the Disk of the program itself never does:
// for what brings its own file access, such as SQLite (store/fault_vfs.h).
//
// Each write, truncation and sync is a change of the disk. A power cut takes what was not synced, or any 512-byte
// sectors of it, in whatever order it was written. Must not outlive its disk.
#pragma once

#include "os/fault_disk.h"

namespace freehold::os {

class FaultFile {
 public:
  // Up to `most` bytes; fewer only at the end.
  std::string read(uint64_t offset, size_t most) const;
  // A gap before `offset` becomes zeros. On a full disk half of the bytes are written, and the error is kExhausted.
  Result<void> write(uint64_t offset, std::string_view bytes);
  Result<void> truncate(uint64_t size);
  Result<void> sync();
  uint64_t size() const;

 private:
  friend class FaultDisk;
  FaultFile(FaultDisk& disk, FaultDisk::NodePointer node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)) {}

  FaultDisk& disk_;
  FaultDisk::NodePointer node_;
  std::string path_;
};

}  // namespace freehold::os
