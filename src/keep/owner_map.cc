#include "keep/owner_map.h"

#include <grp.h>

#include <algorithm>

#include "base/text.h"
#include "keep/archive.h"

namespace freehold::keep {
namespace {

// What the agent calls it.
constexpr const char* kControl = "freehold.control";

}  // namespace

Result<OwnerMap> OwnerMap::open(os::Disk& disk, const Summary& summary, const std::string& registry,
                                const std::string& ids, const std::string& state) {
  OwnerMap map;
  map.rootless_ = summary.rootless;
  FH_ASSIGN(map.range_, os::UserRange::open(disk, registry, ids, state));
  std::vector<std::pair<uint64_t, std::string>> former;
  for (const auto& [name, id] : summary.users) former.emplace_back(id, name);
  std::ranges::sort(former);
  for (const auto& [id, name] : former) {
    FH_ASSIGN(uid_t here, map.id_of(name));
    map.ids_[static_cast<uint32_t>(id)] = here;
  }
  return map;
}

Result<uid_t> OwnerMap::id_of(const std::string& name) { return range_->allocate(name); }

Result<void> OwnerMap::give_to(Member& member, const std::string& name) {
  FH_ASSIGN(member.entry.owner, id_of(name));
  member.entry.group = member.entry.owner;
  return {};
}

Result<void> OwnerMap::apply(Member& member) {
  if (!range_) return {};
  os::TreeEntry& entry = member.entry;
  if (entry.path == "state/policy.yaml") {
    entry.owner = entry.group = 0;
    return {};
  }
  if (entry.path.starts_with("state/")) return give_to(member, kControl);
  if (rootless_) return give_to(member, std::string(split(entry.path, '/')[1]));
  auto own = ids_.find(entry.owner);
  auto own_group = ids_.find(entry.group);
  if (own != ids_.end()) {
    entry.owner = own->second;
  } else if (auto user = os::find_user(member.user); !member.user.empty() && user) {
    entry.owner = user->uid;
  }
  if (own_group != ids_.end()) {
    entry.group = own_group->second;
  } else if (const group* found = member.group.empty() ? nullptr : getgrnam(member.group.c_str())) {
    entry.group = found->gr_gid;
  }
  return {};
}

}  // namespace freehold::keep
