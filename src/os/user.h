// User ids: those of the system by name, and our own, one for each service, which nobody else has.
//
// UserRange gives each name an id once and for ever: it survives restarts, reboots and the removal of the service, and
// is never given to another name, because files of the former might still be there. Each state directory owns one block
// of ids; blocks are taken from a registry of the whole machine, so that two organisations on it never share one.
//
// The default range lies above every range that systemd documents (UIDS-GIDS: 1879048192 to 2147483647 is free).
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "base/result.h"
#include "os/disk.h"

namespace freehold::os {

struct SystemUser {
  uid_t uid = 0;
  gid_t gid = 0;
};
// kNotFound, naming the user.
Result<SystemUser> find_user(const std::string& name);
// The names of ids on this machine; empty if they have none.
std::string user_name(uid_t uid);
std::string group_name(gid_t gid);

struct UidBlock {
  uid_t first = 0;
  uid_t last = 0;  // included
};

class UserRange {
 public:
  static constexpr uid_t kFirst = 1'900'000'000;
  static constexpr uid_t kLast = 1'900'065'535;
  static constexpr uid_t kBlock = 256;  // ids per state directory
  // The machine's, readable by everyone: each user who decides about services' uids looks there.
  static constexpr const char* kRegistry = "/var/lib/freehold/.uids";

  // `registry`: the machine's file of blocks, shared by all state directories and locked while it is changed. `file`:
  // where the names of this one are kept. `owner`: the state directory, the name of its block.
  static Result<UserRange> open(Disk& disk, const std::string& registry, const std::string& file,
                                const std::string& owner);

  // The block that a state directory was given. kNotFound before its first open().
  static Result<UidBlock> block_of(Disk& disk, const std::string& registry, const std::string& owner);
  // The names of a state directory and their ids, without taking a block; none if there is no such file.
  static Result<std::map<std::string, uid_t>> read(Disk& disk, const std::string& file);

  // Durable when it returns. kExhausted when the block is used up.
  Result<uid_t> allocate(const std::string& name);
  UidBlock block() const { return block_; }

 private:
  UserRange(Disk& disk, std::string file) : disk_(&disk), file_(std::move(file)) {}

  Disk* disk_;
  std::string file_;
  UidBlock block_;
  std::map<std::string, uid_t> ids_;
};

}  // namespace freehold::os
