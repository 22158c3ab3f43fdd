#include "agent/user_names.h"

#include <fmt/core.h>

#include "os/disk.h"

namespace freehold::agent {
namespace {

constexpr Bytes kLargestList{16 << 20};

Result<std::string> write_copy(const std::string& list, const std::string& path, std::string_view line) {
  os::Disk& disk = os::system_disk();
  auto text = disk.read(list, kLargestList);
  if (!text && text.error().code() == ErrorCode::kNotFound) return std::string();
  if (!text) return text.error();
  if (!text->empty() && !text->ends_with('\n')) *text += '\n';
  *text += line;
  // Made anew: where an instance that ran here before still has the old one mounted, that one stays what it was.
  auto removed = disk.remove(path);
  if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed.error();
  FH_ASSIGN(auto file, disk.create(path, 0644));
  FH_TRY(file->append(*text));
  FH_TRY(disk.set_mode(path, 0644));  // whatever our mask is
  return path;
}

}  // namespace

Result<UserNames> write_user_names(const LaunchSpec& spec) {
  UserNames names;
  if (!spec.user || spec.user_name.empty()) return names;
  FH_ASSIGN(names.users, write_copy("/etc/passwd", os::join_path(spec.folder, "passwd"),
                                    fmt::format("{}:x:{}:{}:Freehold's service {}:/tmp:/usr/sbin/nologin\n",
                                                spec.user_name, spec.user->user, spec.user->group, spec.service)));
  FH_ASSIGN(names.groups, write_copy("/etc/group", os::join_path(spec.folder, "group"),
                                     fmt::format("{}:x:{}:\n", spec.user_name, spec.user->group)));
  return names;
}

}  // namespace freehold::agent
