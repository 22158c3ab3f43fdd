// SQLite on a FaultDisk, for tests: its databases lose what it did not sync, and find the disk full, where a test says
// so.
//
//   os::FaultDisk disk;
//   FaultVfs sqlite(disk);                      // while it lives, every database that is opened lies on `disk`
//   auto store = open_sqlite_store(disk, "/state.db", {});
//
// SQLite does its own file access, so Disk does not see it; this stands in the place of its "unix" file system and does
// what that does: a file's writes are durable when it was synced, and the entry of a journal or WAL that it created
// when that was synced first. The memory that connections share is this process's, and gone when the last one is
// closed, as after a reboot. One connection per file, one FaultVfs at a time, one thread.
#pragma once

#include <memory>

#include "os/fault_disk.h"

namespace freehold::store {

class FaultVfs {
 public:
  explicit FaultVfs(os::FaultDisk& disk);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

 private:
  struct Registration;
  std::unique_ptr<Registration> registration_;
};

}  // namespace freehold::store
