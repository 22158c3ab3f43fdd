#include "os/user.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <time.h>

#include <cerrno>
#include <charconv>

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

// The registry: block -> state directory. A block that is no more anybody's keeps its entry, so that it rests longest.
using Registry = std::map<uid_t, std::string>;
constexpr std::string_view kRetired = "retired";

Result<Registry> read_registry(Disk& disk, const std::string& path) {
  FH_ASSIGN(auto by_name, read_ids(disk, path));
  Registry out;
  for (const auto& [name, first] : by_name)
    out[first] = name.substr(0, name.find(' ') == std::string::npos ? name.size() : name.find(' '));
  return out;
}

Result<void> write_registry(Disk& disk, const std::string& path, const Registry& registry) {
  std::string text;
  // The number is part of a retired one's name: two of them are two lines.
  for (const auto& [first, owner] : registry) {
    text += owner == kRetired ? fmt::format("{} {} {}\n", first, owner, first) : fmt::format("{} {}\n", first, owner);
  }
  return disk.write_durably(path, text, 0644);
}

// Fresh blocks first; when there is none, one whose state directory is gone.
Result<uid_t> choose_block(Disk& disk, const Registry& registry, const std::string& path) {
  for (uid_t first = UserRange::kFirst; first + UserRange::kBlock - 1 <= UserRange::kLast; first += UserRange::kBlock) {
    if (!registry.contains(first)) return first;
  }
  for (const auto& [first, owner] : registry) {
    if (owner == kRetired || !disk.exists(owner)) return first;
  }
  return Error(ErrorCode::kExhausted, fmt::format("all blocks of user ids are given out; see {}", path));
}

Result<Fd> lock_registry(const std::string& path) {
  constexpr int kMostTries = 100;
  constexpr timespec kPause = {0, 50'000'000};
  Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return errno_error(fmt::format("cannot open {}", path), errno);
  for (int tries = 0; tries < kMostTries; ++tries) {
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    nanosleep(&kPause, nullptr);
  }
  return Error(ErrorCode::kTimeout, fmt::format("{} is locked by another process for too long", path));
}

// The block of a state directory. `known`: the ids that it has given out; none: it is new, and whatever was at its path
// before was another.
Result<uid_t> take_block(Disk& disk, const std::string& path, const std::string& owner,
                         const std::map<std::string, uid_t>& known) {
  FH_TRY(disk.make_directories(parent_path(path), 0755));
  FH_ASSIGN(Fd lock, lock_registry(path + ".lock"));
  FH_ASSIGN(Registry registry, read_registry(disk, path));
  if (!known.empty()) {
    uid_t first =
        UserRange::kFirst + (known.begin()->second - UserRange::kFirst) / UserRange::kBlock * UserRange::kBlock;
    std::string& holder = registry[first];
    if (holder == owner) return first;
    // It was moved here, if the place that it was registered at is gone; if not, it is a copy, and would share its ids.
    if (!holder.empty() && holder != kRetired && disk.exists(holder)) {
      return Error(
          ErrorCode::kConflict,
          fmt::format("{} is a copy of {}, and both would use the same user ids; remove one of them", owner, holder));
    }
    holder = owner;
    FH_TRY(write_registry(disk, path, registry));
    return first;
  }
  for (auto& [first, holder] : registry) {
    if (holder == owner) holder = kRetired;
  }
  FH_ASSIGN(uid_t first, choose_block(disk, registry, path));
  registry[first] = owner;
  FH_TRY(write_registry(disk, path, registry));
  return first;
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

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(16384, '\0');
  (void)getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? "" : found->pw_name;
}

std::string group_name(gid_t gid) {
  group entry{};
  group* found = nullptr;
  std::string buffer(65536, '\0');
  (void)getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? "" : found->gr_name;
}

Result<std::map<std::string, uid_t>> UserRange::read(Disk& disk, const std::string& file) {
  return read_ids(disk, file);
}

Result<UserRange> UserRange::open(Disk& disk, const std::string& registry, const std::string& file,
                                  const std::string& owner) {
  UserRange range(disk, file);
  FH_ASSIGN(range.ids_, read_ids(disk, file));
  FH_ASSIGN(range.block_.first, take_block(disk, registry, owner, range.ids_));
  range.block_.last = range.block_.first + kBlock - 1;
  return range;
}

Result<UidBlock> UserRange::block_of(Disk& disk, const std::string& registry, const std::string& owner) {
  FH_ASSIGN(Registry blocks, read_registry(disk, registry));
  for (const auto& [first, holder] : blocks) {
    if (holder == owner) return UidBlock{first, first + kBlock - 1};
  }
  return Error(ErrorCode::kNotFound,
               fmt::format("{} names no user ids of {}: its agent has not started", registry, owner));
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
