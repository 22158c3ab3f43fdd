// A file that holds one secret of Freehold itself, readable by its owner alone. Internal to auth.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/disk.h"

namespace freehold::auth {

// kNotFound; kDenied if others may read or write it; kInvalid if it is no regular file.
Result<std::string> read_key_file(os::Disk& disk, const std::string& path);

// What was read is not durable yet if its writer died before it had synced the folder: before anything is done with it.
Result<void> settle_key_file(os::Disk& disk, const std::string& path);

// Durably, with mode 0600. The folder must exist.
Result<void> write_key_file(os::Disk& disk, const std::string& path, std::string_view bytes);

}  // namespace freehold::auth
