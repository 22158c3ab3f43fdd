#include "os/memory_folder.h"

#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cstdlib>

namespace freehold::os {
namespace {

bool in_memory(const std::string& folder) {
  struct statfs status{};
  if (statfs(folder.c_str(), &status) != 0) return false;
  bool memory = status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
  return memory && access(folder.c_str(), W_OK) == 0;
}

}  // namespace

std::string find_memory_folder() {
  if (geteuid() == 0) {
    if (in_memory("/run")) return "/run/freehold";
  } else if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && in_memory(runtime)) {
    return std::string(runtime) + "/freehold";
  }
  if (in_memory("/dev/shm")) return fmt::format("/dev/shm/freehold-{}", geteuid());
  return "";
}

}  // namespace freehold::os
