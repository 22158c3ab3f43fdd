#include "agent/state_folders.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemons.h"
#include "auth/peer.h"
#include "base/log.h"
#include "codec/hash.h"
#include "os/memory_folder.h"
#include "os/process.h"

namespace freehold::agent {
namespace {

constexpr Bytes kLargestPolicy{1 << 20};
constexpr off_t kLargestLog = off_t{8} << 20;
constexpr size_t kNameDigits = 10;

struct Folder {
  std::string path;
  mode_t mode;
  std::optional<UserIds> owner;
  std::optional<gid_t> group;
};

Result<void> make_folder(os::Disk& disk, const Folder& folder) {
  FH_TRY(disk.make_directories(folder.path, folder.mode));
  FH_TRY(disk.set_mode(folder.path, folder.mode));
  if (geteuid() != 0) return {};
  uid_t owner = folder.owner ? folder.owner->user : 0;
  gid_t group = folder.group ? *folder.group : folder.owner ? folder.owner->group : 0;
  FH_TRY(disk.set_owner(folder.path, owner, group));
  // Changing the owner takes the set-group-id bit away.
  return disk.set_mode(folder.path, folder.mode);
}

Result<void> make_folders(os::Disk& disk, const Ground& ground) {
  const model::Layout& layout = ground.layout;
  for (const Folder& folder : {
           Folder{layout.root, 0755, {}, {}},
           Folder{layout.control(), 0700, ground.control_user, {}},
           Folder{layout.agent(), 0711, {}, {}},
           Folder{layout.instances(), 0711, {}, {}},
           Folder{layout.daemons(), 0711, {}, {}},
           Folder{layout.jobs(), 0700, {}, {}},
           Folder{layout.releases(), 0711, {}, {}},
           Folder{layout.files(), 0755, {}, {}},
           Folder{layout.volumes(), 0711, {}, {}},
           Folder{layout.logs(), 02750, {}, ground.log_group},
           Folder{layout.platform_logs(), 02750, {}, ground.log_group},
           Folder{layout.access_log(), 02750, ground.gateway_user, ground.log_group},
           Folder{layout.keys(), 0700, ground.control_user, {}},
           Folder{layout.root + "/run", 0755, {}, {}},
           Folder{layout.run_of_control(), 0755, ground.control_user, {}},
           Folder{layout.run_of_agent(), 0755, {}, {}},
       }) {
    FH_TRY(make_folder(disk, folder));
  }
  // The gateway reaches its access log through logs/, which others may not list.
  return disk.set_mode(layout.logs(), ground.gateway_user ? 02751 : 02750);
}

Result<Policy> read_policy(os::Disk& disk, const std::string& path) {
  auto info = disk.info(path);
  if (!info) return Policy();
  if (geteuid() == 0 && (info->owner != 0 || (info->mode & 022) != 0)) {
    return Error(
        ErrorCode::kDenied,
        fmt::format("{} must belong to root and be writable for nobody else; run: chown root {} && chmod 644 {}", path,
                    path, path));
  }
  FH_ASSIGN(std::string text, disk.read(path, kLargestPolicy));
  return parse_policy(text);
}

// In /dev/shm anybody may have made a folder, or a link, of our name before us.
Result<void> check_own(os::Disk& disk, const std::string& folder) {
  FH_ASSIGN(os::FileInfo info, disk.info(folder));
  if (info.kind == os::FileKind::kDirectory && info.owner == geteuid() && (info.mode & 022) == 0) return {};
  return Error(
      ErrorCode::kDenied,
      fmt::format("{} is not a folder that only we can write, and secrets would lie there; remove it", folder));
}

Result<os::Fd> take_lock(const std::string& path) {
  os::Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!lock) return errno_error(fmt::format("cannot open {}", path), errno);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Error(ErrorCode::kConflict, fmt::format("another agent runs with this state: {} is locked", path));
  return lock;
}

Result<UserIds> user_of_daemon(Ground& ground, DaemonUsers users, const std::string& daemon, const char* installed) {
  if (users == DaemonUsers::kInstalled) {
    FH_ASSIGN(os::SystemUser user, os::find_user(installed));
    return UserIds{user.uid, user.gid};
  }
  FH_ASSIGN(uid_t id, ground.users->allocate(Daemons::group_of(daemon)));
  return UserIds{id, static_cast<gid_t>(id)};
}

}  // namespace

Result<Ground> prepare_ground(os::Disk& disk, const std::string& state, DaemonUsers users) {
  Ground ground;
  ground.layout.root = state;
  FH_TRY(disk.make_directories(ground.layout.agent(), 0711));
  FH_ASSIGN(ground.lock, take_lock(ground.layout.agent_lock()));
  FH_ASSIGN(ground.policy, read_policy(disk, ground.layout.policy()));
  FH_ASSIGN(ground.boot_id, os::boot_id());
  if (geteuid() == 0) {
    FH_ASSIGN(ground.users, os::UserRange::open(disk, os::UserRange::kRegistry, ground.layout.user_ids(), state));
    FH_ASSIGN(ground.control_user, user_of_daemon(ground, users, "control", kControlUser));
    FH_ASSIGN(ground.gateway_user, user_of_daemon(ground, users, "gateway", kGatewayUser));
    ground.log_group = ground.control_user->group;
  }
  FH_TRY(make_folders(disk, ground));
  std::string memory = os::find_memory_folder();
  if (memory.empty()) {
    log_warning("agent", "no file system in memory was found: secrets that are files touch the disk");
    memory = ground.layout.agent() + "/secrets";
  }
  FH_TRY(disk.make_directories(memory, 0711));
  FH_TRY(check_own(disk, memory));
  ground.memory_folder = memory + "/" + codec::sha256_hex(state).substr(0, kNameDigits);
  FH_TRY(disk.make_directories(ground.memory_folder, 0711));
  return ground;
}

Result<void> hand_over_keys(os::Disk& disk, const Ground& ground) {
  if (!ground.control_user) return {};
  return disk.set_owner(ground.layout.seal_key(), ground.control_user->user, ground.control_user->group);
}

Result<void> admit(const Ground& ground, const net::PeerCredentials& credentials) {
  auth::PeerPolicy policy;
  policy.owner = geteuid();
  if (const group* found = getgrnam("freehold")) policy.groups.push_back(found->gr_gid);
  if (ground.users) policy.hosted = auth::UidRange{ground.users->block().first, ground.users->block().last};
  auth::Peer peer{credentials.uid, credentials.gid, {}};
  auth::PeerRule rule = auth::rule_for(policy, peer);
  if (auth::is_admitted(rule)) return {};
  return Error(ErrorCode::kDenied, auth::explain(rule, peer));
}

void bound_own_log(const std::string& path) {
  struct stat status{};
  if (path.empty() || stat(path.c_str(), &status) != 0 || status.st_size < kLargestLog) return;
  if (rename(path.c_str(), (path + ".1").c_str()) != 0) return;
  os::Fd fresh(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!fresh) return;
  dup2(fresh.get(), STDOUT_FILENO);
  dup2(fresh.get(), STDERR_FILENO);
}

}  // namespace freehold::agent
