// A lock on a folder, held while the descriptor is open; it needs no file of its own, and is gone with its holder.
#pragma once

#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace freehold::os {

// kConflict if somebody else holds it.
Result<Fd> lock_folder(const std::string& path);

}  // namespace freehold::os
