// Whose a restored file is on this machine. Internal to keep.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "keep/summary.h"
#include "keep/tar.h"
#include "os/user.h"

namespace freehold::keep {

class OwnerMap {
 public:
  // Gives each service and daemon of the backup an id of this machine, in the order of their former ones. `ids`: where
  // the platform keeps them; `state`: where it is now. As root only.
  static Result<OwnerMap> open(os::Disk& disk, const Summary& summary, const std::string& registry,
                               const std::string& ids, const std::string& state);

  // Without root, where everything is ours.
  OwnerMap() = default;

  Result<void> apply(Member& member);

 private:
  Result<uid_t> id_of(const std::string& name);
  Result<void> give_to(Member& member, const std::string& name);

  std::optional<os::UserRange> range_;
  std::map<uint32_t, uid_t> ids_;  // by the former
  bool rootless_ = false;          // was it
};

}  // namespace freehold::keep
