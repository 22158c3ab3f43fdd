// The names of owners, each asked for once. Internal to keep.
#pragma once

#include <map>

#include "keep/tar.h"
#include "os/user.h"

namespace freehold::keep {

class OwnerNames {
 public:
  Member named(os::TreeEntry entry) {
    Member member{std::move(entry), "", ""};
    member.user = of(users_, member.entry.owner, os::user_name);
    member.group = of(groups_, member.entry.group, os::group_name);
    return member;
  }

 private:
  static std::string of(std::map<uint32_t, std::string>& known, uint32_t id, std::string (*find)(uint32_t)) {
    auto found = known.find(id);
    if (found == known.end()) found = known.emplace(id, find(id)).first;
    return found->second;
  }

  std::map<uint32_t, std::string> users_;
  std::map<uint32_t, std::string> groups_;
};

}  // namespace freehold::keep
