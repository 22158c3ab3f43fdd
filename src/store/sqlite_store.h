// SqliteStore: the Store of one machine, in one file.
//
// Limits: about `deletions` deleted keys are remembered. Another process may read the file, and may write it through a
// SqliteStore of its own; its writes are seen, but on_commit() does not tell of them. See sqlite.h for durability and
// errors.
#pragma once

#include <memory>
#include <string>

#include "os/disk.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace freehold::store {

struct SqliteStoreOptions {
  size_t deletions = 10'000;
  Bytes most_wal{8 << 20};
  Duration busy_timeout = std::chrono::seconds(5);
  uint64_t most_pages = 0;  // of 4 KiB; 0: as many as the disk has
  Access access = Access::kWrite;
};

// Opens the file, or creates it with mode 0600 in a folder that exists. With Access::kRead every commit() is kDenied.
Result<std::unique_ptr<Store>> open_sqlite_store(os::Disk& disk, const std::string& path,
                                                 const SqliteStoreOptions& options);

}  // namespace freehold::store
