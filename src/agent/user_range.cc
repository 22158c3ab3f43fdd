#include "agent/user_range.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "codec/fields.h"
#include "os/file_lock.h"
#include "os/user.h"

namespace freehold::agent {
namespace {

using codec::Of;

constexpr Bytes kMostFile = Bytes{16 << 20};
constexpr uint32_t kVersion = 1;

struct Block {
  uint32_t first = 0;
  std::string owner;  // identity of the state
  std::string path;   // where that state's own file was last seen
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Block>& block) {
  v("first", block.first);
  v("owner", block.owner);
  v("path", block.path);
}

struct Registry {
  uint32_t version = kVersion;
  std::vector<Block> blocks;  // the longest unseen first
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Registry>& registry) {
  v("version", registry.version);
  v("blocks", registry.blocks);
}

struct OwnFile {
  uint32_t version = kVersion;
  std::string owner;
  std::vector<uint32_t> blocks;
  std::map<std::string, uint32_t> users;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, OwnFile>& own) {
  v("version", own.version);
  v("owner", own.owner);
  v("blocks", own.blocks);
  v("users", own.users);
}

// What the file holds; a fresh T if there is none.
template <class T>
Result<T> read_file(os::Disk& disk, const std::string& path) {
  auto text = disk.read(path, kMostFile);
  if (!text && text.error().code() == ErrorCode::kNotFound) return T();
  if (!text) return text.error();
  auto json = codec::Json::parse(*text);
  auto value = json ? codec::from_json<T>(*json) : Result<T>(json.error());
  // Starting afresh would give files of one service to another.
  if (!value) return Error(ErrorCode::kCorrupt, fmt::format("{}: {}", path, value.error().message()));
  if (value->version > kVersion)
    return Error(ErrorCode::kUnsupported, fmt::format("{} was written by a newer version of Freehold", path));
  return value;
}

template <class T>
Result<void> write_file(os::Disk& disk, const std::string& path, const T& value) {
  return disk.write_durably(path, codec::to_json(value).dump_pretty(), 0600);
}

Result<os::FileLock> lock_registry(os::Disk& disk, const UserRange::Options& options) {
  FH_TRY(disk.make_directories(os::parent_path(options.registry), 0755));
  return os::FileLock::acquire(options.registry + ".lock", options.lock_time);
}

}  // namespace

Result<UserRange> UserRange::open(os::Disk& disk, Options options, os::Random& random) {
  UserRange range(disk, std::move(options));
  FH_TRY(range.load(random));
  FH_TRY(range.check_registered());
  return range;
}

Result<void> UserRange::load(os::Random& random) {
  FH_ASSIGN(OwnFile own, read_file<OwnFile>(*disk_, options_.file));
  owner_ = own.owner;
  blocks_ = own.blocks;
  users_ = own.users;
  if (!owner_.empty()) return {};
  // The identity is durable before anything is registered under it: a crash in between loses no block.
  owner_ = to_hex(random.bytes(16));
  return save();
}

Result<void> UserRange::save() const {
  return write_file(*disk_, options_.file, OwnFile{kVersion, owner_, blocks_, users_});
}

Result<void> UserRange::check_registered() {
  FH_ASSIGN(os::FileLock lock, lock_registry(*disk_, options_));
  FH_ASSIGN(Registry registry, read_file<Registry>(*disk_, options_.registry));
  std::set<uint32_t> known;
  bool changed = false;
  for (Block& block : registry.blocks) {
    bool ours = block.owner == owner_;
    if (!ours && std::ranges::find(blocks_, block.first) != blocks_.end())
      return Error(ErrorCode::kConflict, fmt::format("the user ids from {} belong to this state and, by {}, to {}",
                                                     block.first, options_.registry, block.path));
    if (!ours) continue;
    if (block.path != options_.file && disk_->exists(block.path))
      return Error(ErrorCode::kConflict,
                   fmt::format("this state is a copy of {}: two may not share user ids. Delete {} "
                               "to make it one of its own, or remove the other",
                               os::parent_path(block.path), options_.file));
    known.insert(block.first);
    changed = changed || block.path != options_.file;
    block.path = options_.file;
  }
  // Registered, but not yet in our own file: we died between the two.
  bool found_more = false;
  for (uint32_t first : known) {
    if (std::ranges::find(blocks_, first) != blocks_.end()) continue;
    blocks_.push_back(first);
    found_more = true;
  }
  // In our own file, but the registry was lost or is another machine's: what is ours stays ours.
  for (uint32_t first : blocks_) {
    if (known.contains(first)) continue;
    registry.blocks.push_back({first, owner_, options_.file});
    changed = true;
  }
  if (changed) FH_TRY(write_file(*disk_, options_.registry, registry));
  return found_more ? save() : Result<void>();
}

Result<void> UserRange::take_block() {
  FH_ASSIGN(os::FileLock lock, lock_registry(*disk_, options_));
  FH_ASSIGN(Registry registry, read_file<Registry>(*disk_, options_.registry));
  std::set<uint32_t> taken;
  for (const Block& block : registry.blocks) taken.insert(block.first);
  uint32_t first = options_.first;
  while (taken.contains(first)) first += options_.block;
  if (first > options_.last - (options_.block - 1)) {
    auto gone = std::ranges::find_if(registry.blocks, [&](const Block& block) { return !disk_->exists(block.path); });
    if (gone == registry.blocks.end())
      return Error(ErrorCode::kExhausted,
                   fmt::format("all user ids from {} to {} are given to services on this machine ({})", options_.first,
                               options_.last, options_.registry));
    first = gone->first;
    registry.blocks.erase(gone);
  }
  registry.blocks.push_back({first, owner_, options_.file});
  FH_TRY(write_file(*disk_, options_.registry, registry));
  blocks_.push_back(first);
  return save();
}

bool UserRange::is_taken(uint32_t uid) const {
  return std::ranges::any_of(users_, [&](const auto& user) { return user.second == uid; }) || os::is_system_user(uid);
}

Result<uint32_t> UserRange::allot(std::string_view service) {
  std::string name(service);
  if (auto found = users_.find(name); found != users_.end()) return found->second;
  for (size_t i = 0;; ++i) {
    if (i == blocks_.size()) FH_TRY(take_block());
    for (uint32_t uid = blocks_[i]; uid < blocks_[i] + options_.block; ++uid) {
      if (is_taken(uid)) continue;
      users_[name] = uid;
      auto saved = save();
      if (saved) return uid;
      users_.erase(name);
      return saved.error();
    }
  }
}

}  // namespace freehold::agent
