// Control groups as this machine has them: limits, usage, and killing of everything that one instance started.
//
// Found at run time: v2; v1 hierarchies of memory, cpu and pids, perhaps beside a v2 that has no controllers (it still
// counts and kills); a subtree that was delegated to us (a systemd unit, a user session); or nothing. What cannot be
// enforced comes back as sentences for people, never silently.
//
//   CgroupTree tree = CgroupTree::find("freehold-3f2a91");
//   FH_ASSIGN(CgroupTree::Created made, tree.create("web.3", limits));
//   ... write a pid into each of made.group.join_files() ...
//   FH_TRY(tree.kill_until_empty(made.group, 5s)); FH_TRY(tree.remove(made.group));
//
// Threads: none of its own; one thread at a time. Blocking calls on small kernel files; only kill_until_empty waits.
// Source: kernel Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "os/process.h"

namespace freehold::os {

struct GroupLimits {
  std::optional<double> cpu;  // cores
  std::optional<Bytes> memory;
  std::optional<uint64_t> pids;
};

struct GroupUsage {
  Bytes memory;
  Duration cpu{};  // since the group was made
  uint64_t out_of_memory_kills = 0;
  uint64_t processes = 0;  // each of its threads counts, as it does for the limit
};

// One group: its directory in each hierarchy. A value: it may be stored and used again by a later process.
struct Cgroup {
  std::string name;
  std::string unified;                             // v2 directory, or empty
  std::map<std::string, std::string> controllers;  // memory, cpu, cpuacct, pids -> the directory that has its files

  bool exists() const { return !unified.empty() || !controllers.empty(); }
  std::vector<std::string> directories() const;  // each once
  std::vector<std::string> join_files() const;   // cgroup.procs in each
  std::string kill_file() const;                 // cgroup.kill, or empty where the kernel has none
  std::string oom_file() const;                  // holds "oom_kill N", or empty
  bool operator==(const Cgroup&) const = default;
};

class CgroupTree {
 public:
  // Where to look; other paths are for tests.
  struct Ground {
    std::string mounts = "/proc/self/mountinfo";
    std::string own = "/proc/self/cgroup";
    // A v2 group that was given to us, from the root of the hierarchy: "/freehold.slice/x.service". Empty: it is found.
    std::string delegated = {};
  };
  // `name` is ours in every hierarchy, one per state directory; made when the first group is. Never fails: where there
  // is nothing, problems() says so and create() gives groups that do not exist.
  static CgroupTree find(std::string_view name, const Ground& ground);
  static CgroupTree find(std::string_view name) { return find(name, Ground()); }

  struct Created {
    Cgroup group;
    std::vector<std::string> problems;  // limits that were asked for and are not enforced
  };
  // Makes an empty group; kConflict if there is one of that name with processes in it.
  Result<Created> create(std::string_view name, const GroupLimits& limits);
  Cgroup group(std::string_view name) const;  // where it is, or would be
  std::vector<std::string> list() const;      // names of the groups that exist, sorted
  // Moves a process into a group of ours that has no limits, so that whoever ends our own group does not end it.
  Result<void> move(pid_t pid, std::string_view name);
  Result<void> remove_root();  // the tree itself, when it has no group any more

  const std::vector<std::string>& problems() const { return problems_; }
  bool has(std::string_view controller) const { return bases_.contains(std::string(controller)); }

  static Result<GroupUsage> usage(const Cgroup& group);
  // SIGKILL to everything in it now. What forks meanwhile may be missed where there is no cgroup.kill: call again.
  static Result<void> kill(const Cgroup& group);
  static Result<void> kill_until_empty(const Cgroup& group, Duration most);
  static bool is_empty(const Cgroup& group);                   // also if it does not exist
  static std::vector<ProcessId> members(const Cgroup& group);  // of it and of the groups below
  // kUnavailable while something is in it.
  static Result<void> remove(const Cgroup& group);

 private:
  void find_unified(const std::string& mount, const std::string& own, const std::string& delegated);
  void find_base(const std::string& mount, const std::string& own);
  void find_legacy(const std::string& mount, const std::string& own, std::string_view options);
  void make_room(const std::string& directory);
  void enable_controllers(const std::string& directory);
  Result<void> make_root();

  std::string name_;
  std::string unified_base_;                  // v2 directory above ours, or empty
  std::map<std::string, std::string> bases_;  // controller -> directory above ours
  std::vector<std::string> problems_;
  bool made_ = false;
};

}  // namespace freehold::os
