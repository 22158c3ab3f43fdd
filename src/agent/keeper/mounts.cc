#include "agent/keeper/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/keeper/text.h"

namespace freehold::keeper {
namespace {

constexpr const char* kLists[] = {"/etc/passwd", "/etc/group"};

void descriptor_path(Text<32>& path, int descriptor) {
  path = Text<32>();
  path.add("/proc/self/fd/").number(static_cast<uint64_t>(descriptor));
}

bool is_below(const char* path, const char* folder) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && path[length] == '/';
}

// Makes the folders above `path`, and `path` itself as a folder or an empty file, inside a /tmp that is ours and empty.
bool make_place(const char* path, bool folder) {
  char copy[4096];
  size_t length = strlen(path);
  if (length >= sizeof copy) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(copy, path, length + 1);
  for (size_t i = 1; i < length; ++i) {
    if (copy[i] != '/') continue;
    copy[i] = 0;
    if (mkdir(copy, 0755) != 0 && errno != EEXIST) return false;
    copy[i] = '/';
  }
  if (folder) return mkdir(copy, 0755) == 0 || errno == EEXIST;
  int file = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file >= 0) close(file);
  return file >= 0;
}

// Shows what the descriptor stands for at `path`, read-only if asked.
bool show(int descriptor, const Bind& bind, bool hidden) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return false;
  if (hidden && !make_place(bind.path, S_ISDIR(status.st_mode))) return false;
  Text<32> source;
  descriptor_path(source, descriptor);
  if (mount(source.c_str(), bind.path, nullptr, MS_BIND | MS_REC, nullptr) != 0) return false;
  if (!bind.read_only) return true;
  return mount(nullptr, bind.path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, nullptr) == 0;
}

}  // namespace

const char* arrange_mounts(const Configuration& configuration) {
  if (configuration.mount_namespace >= 0) {
    return setns(configuration.mount_namespace, CLONE_NEWNS) == 0 ? nullptr : "join its instance's mounts";
  }
  const char* const lists[] = {configuration.user_list, configuration.group_list};
  if (configuration.private_tmp == nullptr && configuration.private_var_tmp == nullptr &&
      configuration.bind_count == 0 && lists[0] == nullptr && lists[1] == nullptr)
    return nullptr;

  if (unshare(CLONE_NEWNS) != 0) return "make mounts of its own";
  // Slave: what the machine mounts later still arrives here, what is done here stays here.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return "make mounts of its own";

  // Before /tmp is covered, since they may lie below it; the others are held by descriptor for that reason.
  for (int i = 0; i < 2; ++i) {
    if (lists[i] != nullptr && mount(lists[i], kLists[i], nullptr, MS_BIND, nullptr) != 0)
      return "name its user and group";
  }
  int held[kMostBinds];
  for (unsigned i = 0; i < configuration.bind_count; ++i) {
    held[i] = open(configuration.binds[i].path, O_PATH | O_CLOEXEC);
    if (held[i] < 0) return "open a folder that it is given";
  }
  int var_tmp = -1;
  if (configuration.private_var_tmp != nullptr) {
    var_tmp = open(configuration.private_var_tmp, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (var_tmp < 0) return "give it a /var/tmp of its own";
  }
  if (configuration.private_tmp != nullptr && mount(configuration.private_tmp, "/tmp", nullptr, MS_BIND, nullptr) != 0)
    return "give it a /tmp of its own";
  if (var_tmp >= 0) {
    Text<32> source;
    descriptor_path(source, var_tmp);
    if (mount(source.c_str(), "/var/tmp", nullptr, MS_BIND, nullptr) != 0) return "give it a /var/tmp of its own";
  }
  for (unsigned i = 0; i < configuration.bind_count; ++i) {
    const char* path = configuration.binds[i].path;
    bool hidden = (configuration.private_tmp != nullptr && is_below(path, "/tmp")) ||
                  (configuration.private_var_tmp != nullptr && is_below(path, "/var/tmp"));
    if (!hidden && !configuration.binds[i].read_only) continue;
    if (!show(held[i], configuration.binds[i], hidden)) return "show it a folder that it is given";
  }
  return nullptr;
}

}  // namespace freehold::keeper
