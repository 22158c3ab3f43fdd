#include "os/user.h"

#include <fmt/core.h>
#include <pwd.h>

#include <array>
#include <cerrno>

namespace freehold::os {
namespace {

constexpr size_t kMostEntry = 64 << 10;

}  // namespace

Result<SystemUser> find_user(std::string_view name) {
  std::string key(name);
  std::string buffer(kMostEntry, '\0');
  passwd entry{};
  passwd* found = nullptr;
  int error = getpwnam_r(key.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return SystemUser{found->pw_uid, found->pw_gid, found->pw_dir};
  // Services of nsswitch.conf say "no such user" in several ways, see getpwnam(3).
  if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
    return Error(ErrorCode::kNotFound, fmt::format("this system has no user '{}'", name));
  return errno_error(fmt::format("cannot look up the user '{}'", name), error);
}

bool is_system_user(uid_t user) {
  std::string buffer(kMostEntry, '\0');
  passwd entry{};
  passwd* found = nullptr;
  return getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

}  // namespace freehold::os
