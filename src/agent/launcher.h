// Launcher: puts one instance onto the machine, isolated and limited, under a keeper that outlives us.
//
//   FH_ASSIGN(auto launcher, Launcher::create({.keeper = path, .tree = "freehold-3f2a91"}));
//   FH_ASSIGN(Running running, launcher->start(spec));      // poll running.keeper_fd: readable when it is over
//   FH_ASSIGN(model::Exit exit, launcher->read_exit(spec.folder));
//   Adopted found = launcher->adopt(folder);                // after a restart of the agent
//
// An instance's folder is ours: `pid` and `exit` (written by the keeper), `launch` (written here), `tmp`, `var-tmp`.
// Threads: one, and one that lives as long as the agent, since a command is tied to the life of the thread that started
// it. Calls block shortly (files, a handshake bounded by Options::handshake). Errors name what failed, for people.
#pragma once

#include <memory>
#include <set>

#include "agent/keeper_protocol.h"
#include "agent/launch_spec.h"
#include "base/result.h"
#include "model/instance.h"
#include "os/cgroup.h"
#include "os/fd.h"
#include "os/process.h"

namespace freehold::agent {

struct Running {
  os::ProcessId keeper;
  os::ProcessId child;
  os::Fd keeper_fd;                   // a pidfd: readable when the keeper is gone, `exit` is written before
  std::vector<std::string> problems;  // what could not be enforced
};

enum class AdoptedState {
  kNeverStarted,  // there is no trace of a start
  kRunning,       // keeper and all
  kEnded,         // while nobody looked; `exit` says how
  kKeeperLost,    // the keeper was killed and its child with it; what the child left behind has been killed now
  kOtherBoot,     // the machine was restarted meanwhile
};
struct Adopted {
  AdoptedState state = AdoptedState::kNeverStarted;
  Running running;   // kRunning
  model::Exit exit;  // kEnded; kKeeperLost and kOtherBoot have its `failure` filled in
};

// A command beside an instance, our own child.
struct Command {
  os::ProcessId process;
  os::Fd pidfd;  // readable when it has ended
};

class Launcher {
 public:
  struct Options {
    std::string keeper;  // path of freehold-keeper
    std::string tree;    // name of our control groups, one per state directory
    Duration handshake = std::chrono::seconds(10);
    os::CgroupTree::Ground ground = {};  // where our control groups are, if they are not to be found
  };
  // The group of keepers, where one was delegated to us: in ours they would end when systemd ends our unit.
  static constexpr const char* kKeepers = "freehold.keepers";
  static Result<std::unique_ptr<Launcher>> create(Options options);
  // Whether instances can have a /tmp of their own: as root that may mount, outside of a chroot.
  static bool can_make_mounts();
  // The keeper that stands beside this executable.
  static Result<std::string> find_keeper();

  // Starts it and returns when its program runs. A program that cannot be run is an error that says why, and `exit`
  // holds the same. kConflict if the instance still runs.
  Result<Running> start(const LaunchSpec& spec);
  Adopted adopt(const std::string& folder);
  // kNotFound while it runs or if the keeper was lost.
  Result<model::Exit> read_exit(const std::string& folder);

  // To the workload itself, not to what it started. kNotFound when it is gone.
  static Result<void> signal(const Running& running, int number);
  // SIGKILL to all of the instance, now. Call again until is_gone(): what dies may have been forking.
  Result<void> kill_all(const std::string& folder);
  // What runs of the instance now.
  std::vector<os::ProcessId> processes(const std::string& folder);
  // Nothing of the instance runs, the keeper neither.
  bool is_gone(const std::string& folder);
  // Takes a keeper's status, so that no zombie of ours remains; false while it still runs. Harmless for one that is not
  // ours.
  static bool reap(const os::Fd& pidfd);
  // Removes control group and folder. kConflict while something still runs.
  Result<void> cleanup(const std::string& folder);
  Result<os::GroupUsage> usage(const std::string& folder);
  // Control groups that belong to no known instance: killed and removed. Returns their names.
  std::vector<std::string> sweep(const std::set<std::string>& known_instances);

  // Removes our tree of control groups itself: for the end of a state's daemons. kUnavailable while something is in it.
  Result<void> remove_tree();

  // Runs `command` as the instance would: its user, environment, limits, folder, /tmp. `input`, `output`, `error` are
  // borrowed. It dies with us. kNotFound when the instance does not run.
  Result<Command> start_command(const LaunchSpec& spec, const std::vector<std::string>& command, int input, int output,
                                int error);
  // Nothing while it runs. Reaps it.
  static std::optional<model::Exit> finished(const Command& command);
  // SIGKILL to the command and its process group. How it ended is taken when it is dead, and told nobody.
  void kill_command(Command command);

  const std::vector<std::string>& problems() const { return tree_.problems(); }

 private:
  explicit Launcher(Options options);
  Result<os::CgroupTree::Created> make_group(const LaunchSpec& spec);
  Result<void> prepare_folder(const LaunchSpec& spec, const os::Cgroup& group);
  os::Cgroup group_of(const std::string& folder);
  Result<KeeperPid> wait_for_keeper(const std::string& folder);
  void retire(os::Fd pidfd);

  Options options_;
  os::CgroupTree tree_;
  std::vector<os::Fd> dying_;  // our children that were killed and are not reaped yet
};

}  // namespace freehold::agent
