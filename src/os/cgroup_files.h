// Reading and writing of the kernel's control group files; used by the cgroup sources alone.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/cgroup.h"

namespace freehold::os::cgroup_files {

// A value to be written into a file of a controller. Not required: its lack makes the limit no weaker.
struct LimitFile {
  std::string_view controller;
  std::string file;
  std::string value;
  bool required = true;
};
// What the limits are in this group's files, v1's or v2's, in the order to be written.
std::vector<LimitFile> limit_files(const GroupLimits& limits, const Cgroup& group);

Result<std::string> read_file(const std::string& path);
// One write(2), as these files want it. 0 or an errno.
int write_file(const std::string& path, std::string_view value);
std::vector<pid_t> processes(const std::string& directory);
// Moves every process that is directly in `directory` to a child group; false if that is not possible.
bool move_to_leaf(const std::string& directory, std::string_view leaf);
// The number after "key " at the start of a line, or 0.
uint64_t number_of(std::string_view text, std::string_view key);

}  // namespace freehold::os::cgroup_files
