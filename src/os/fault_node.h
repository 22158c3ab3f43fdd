// What a FaultDisk is made of: files, directories and links, as they are and as a power cut would leave them.
#pragma once

#include <vector>

#include "os/fault_disk.h"

namespace freehold::os {

struct FaultDisk::Node {
  FileKind kind = FileKind::kFile;
  mode_t mode = 0;
  uid_t owner = 0;
  gid_t group = 0;
  Duration modified{};
  uint64_t inode = 0;
  std::string bytes;  // of a file, or the target of a link
  std::string durable_bytes;
  Entries entries;  // of a directory
  Entries durable_entries;
  // What a FaultFile did since the last sync, in order; its bytes are in `bytes` already.
  struct Pending {
    uint64_t offset = 0;
    std::string written;
    bool truncates = false;  // to `offset`
  };
  std::vector<Pending> pending;

  // Of what is pending, nothing stays, or each sector of it or not.
  void lose_writes(Random* survival);
};

}  // namespace freehold::os
