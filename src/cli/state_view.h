// What a backup has to know of control's state, read from a copy of its database.
#pragma once

#include <string>

#include "keep/backup.h"
#include "model/layout.h"

namespace freehold::cli {

// kNotFound if nothing was ever applied.
Result<keep::StateView> look_at_state(os::Disk& disk, const model::Layout& layout, const std::string& database);

}  // namespace freehold::cli
