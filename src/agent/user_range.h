// UserRange gives every service of a state directory a uid (and the gid of the same number) of its own, for ever: it
// stays the same over restarts and reboots and is never given to a service of another name. A state directory takes
// blocks of the machine's range from a registry under a lock, so that two organisations on one machine never share.
//
//   FH_ASSIGN(UserRange users, UserRange::open(os::system_disk(), {.file = state + "/agent/users.json"}));
//   FH_ASSIGN(uint32_t uid, users.allot("web"));
//
// Files (JSON, version 1): the registry holds {first, owner, path} of each block; the state's own file holds its
// identity, its blocks and {service: uid}. A block whose state directory is gone is taken again only when no fresh one
// is left. Threads: one at a time; processes: the registry is locked with flock(2).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/disk.h"
#include "os/random.h"

namespace freehold::agent {

class UserRange {
 public:
  struct Options {
    std::string file;  // the state's own
    std::string registry = "/var/lib/freehold/uids.json";
    // Above every range that systemd documents (UIDS-GIDS), below the 2^31 that some programs stumble over.
    uint32_t first = 1900000000;
    uint32_t last = 1900065535;
    uint32_t block = 256;
    Duration lock_time = std::chrono::seconds(5);
  };
  // kConflict if this state is a copy of one that is still there, or its block has become another's.
  static Result<UserRange> open(os::Disk& disk, Options options, os::Random& random = os::system_random());

  // The service's uid; a new one is durable before this returns. kExhausted when the range is used up.
  Result<uint32_t> allot(std::string_view service);
  const std::map<std::string, uint32_t>& users() const { return users_; }

 private:
  UserRange(os::Disk& disk, Options options) : disk_(&disk), options_(std::move(options)) {}
  Result<void> load(os::Random& random);
  Result<void> check_registered();
  Result<void> take_block();
  Result<void> save() const;
  bool is_taken(uint32_t uid) const;

  os::Disk* disk_;
  Options options_;
  std::string owner_;  // random identity of this state
  std::vector<uint32_t> blocks_;
  std::map<std::string, uint32_t> users_;
};

}  // namespace freehold::agent
