// Removing a directory of which nothing is believed: it may be a hosted service's, of any depth, full of links, and
// changing meanwhile. Internal to os; everybody else calls Disk::remove_tree.
#pragma once

#include <string>

#include "base/result.h"

namespace freehold::os {

// The directory and all in it, or the file. Goes by descriptors: no link is followed, also not one that takes the place
// of a directory in mid-course. No limit on depth or size: what lies too deep is moved up first. A missing path is no
// error; kUnavailable if somebody fills it as fast as it is emptied.
Result<void> remove_system_tree(const std::string& path);

}  // namespace freehold::os
