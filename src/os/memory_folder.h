// Where files may lie that must never touch a disk: a folder on a file system in memory.
#pragma once

#include <string>

namespace freehold::os {

// /run/freehold for root, $XDG_RUNTIME_DIR/freehold otherwise, /dev/shm/freehold-<uid> where those are not in memory;
// empty if nothing is, or nothing can be written. It need not exist yet.
std::string find_memory_folder();

}  // namespace freehold::os
