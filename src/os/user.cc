#include "os/user.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/file.h>

#include <cerrno>
#include <charconv>
#include <set>

#include "base/text.h"
#include "os/fd.h"

namespace freehold::os {
namespace {

constexpr Bytes kLargestFile{4 << 20};

// Both files are lines of "NUMBER NAME"; os knows no JSON.
Result<std::map<std::string, uid_t>> read_ids(Disk& disk, const std::string& path) {
  std::map<std::string, uid_t> out;
  auto text = disk.read(path, kLargestFile);
  if (!text) {
    if (text.error().code() == ErrorCode::kNotFound) return out;
    return text.error();
  }
  for (std::string_view line : split(*text, '\n')) {
    if (line.empty()) continue;
    size_t space = line.find(' ');
    uid_t id = 0;
    auto [stop, failure] = std::from_chars(line.data(), line.data() + std::min(space, line.size()), id);
    if (space == std::string_view::npos || failure != std::errc() || stop != line.data() + space) {
      return Error(ErrorCode::kCorrupt,
                   fmt::format("{}: '{}' is not a number and a name; restore the file from a backup", path, line));
    }
    out[std::string(line.substr(space + 1))] = id;
  }
  return out;
}

Result<void> write_ids(Disk& disk, const std::string& path, const std::map<std::string, uid_t>& ids) {
  std::string text;
  for (const auto& [name, id] : ids) text += fmt::format("{} {}\n", id, name);
  return disk.write_durably(path, text, 0644);
}

Result<uid_t> take_block(Disk& disk, const std::string& registry, const std::string& owner) {
  FH_TRY(disk.make_directories(parent_path(registry), 0755));
  std::string lock_path = registry + ".lock";
  Fd lock(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock || flock(lock.get(), LOCK_EX) != 0) return errno_error(fmt::format("cannot lock {}", lock_path), errno);
  FH_ASSIGN(auto blocks, read_ids(disk, registry));
  if (auto found = blocks.find(owner); found != blocks.end()) return found->second;
  std::set<uid_t> taken;
  for (const auto& [name, first] : blocks) taken.insert(first);
  for (uid_t first = UserRange::kFirst; first + UserRange::kBlock - 1 <= UserRange::kLast; first += UserRange::kBlock) {
    if (taken.contains(first)) continue;
    blocks[owner] = first;
    FH_TRY(write_ids(disk, registry, blocks));
    return first;
  }
  return Error(ErrorCode::kExhausted, fmt::format("all blocks of user ids are given out; see {}", registry));
}

}  // namespace

Result<SystemUser> find_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(16384, '\0');
  int failure = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return Error(ErrorCode::kNotFound, fmt::format("there is no user '{}' on this machine{}", name,
                                                   failure == 0 ? "" : ", or it cannot be looked up"));
  }
  return SystemUser{found->pw_uid, found->pw_gid};
}

Result<UserRange> UserRange::open(Disk& disk, const std::string& registry, const std::string& file,
                                  const std::string& owner) {
  UserRange range(disk, file);
  FH_ASSIGN(range.block_.first, take_block(disk, registry, owner));
  range.block_.last = range.block_.first + kBlock - 1;
  FH_ASSIGN(range.ids_, read_ids(disk, file));
  return range;
}

Result<uid_t> UserRange::allocate(const std::string& name) {
  if (auto found = ids_.find(name); found != ids_.end()) return found->second;
  uid_t next = block_.first;
  // Ids are never given back, so the next one is above all of them.
  for (const auto& [other, id] : ids_) next = std::max(next, id + 1);
  if (next > block_.last) {
    return Error(ErrorCode::kExhausted,
                 fmt::format("no user id is left for service {}: {} names have had one", name, ids_.size()));
  }
  ids_[name] = next;
  auto written = write_ids(*disk_, file_, ids_);
  if (!written) {
    ids_.erase(name);
    return written.error();
  }
  return next;
}

}  // namespace freehold::os
