// ProcessWorkloads: instances as real processes under keepers.
//
// Here a Runtime becomes a LaunchSpec: its user is found or given, its release built, its volumes and secrets laid out,
// its words filled in; the node's policy is asked first. Runs on the agent's loop; calls block for files and for the
// keeper's handshake.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "agent/launcher.h"
#include "agent/policy.h"
#include "agent/releases.h"
#include "agent/workloads.h"
#include "auth/seal.h"
#include "model/layout.h"
#include "os/user.h"

namespace freehold::agent {

class ProcessWorkloads : public Workloads {
 public:
  struct Parts {
    os::Disk& disk;
    Launcher& launcher;
    Releases& releases;
    const auth::Sealer& sealer;
    os::UserRange* users;  // null: rootless, everything runs as we do
  };
  struct Options {
    model::Layout layout;
    Policy policy;
    std::string memory_folder;           // where secrets lie as files
    std::set<std::string> other_groups;  // control groups that are no instances': the daemons'
    std::optional<gid_t> log_group;      // may read what services print
  };
  ProcessWorkloads(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  Result<RunningProcess> start(const StartRequest& request) override;
  void signal(const std::string& id, int signal) override;
  void kill(const std::string& id) override;
  model::Exit collect(const std::string& id) override;
  void forget(const std::string& id) override;
  bool holds_port(const std::string& id, const model::Runtime& runtime, uint16_t port) override;
  std::vector<Survivor> survivors() override;

  // Beside a running instance, as its service. Its words are taken as they are.
  Result<Command> start_command(const StartRequest& request, const std::vector<std::string>& words,
                                std::optional<std::string> terminal, int input, int output, int error);
  // The same for a command of the file, `health: exec`: ${...} in it is filled in. `silence` is where all of it goes.
  Result<Command> start_check(const StartRequest& request, const std::vector<std::string>& command, int silence);
  Launcher& launcher() { return parts_.launcher; }
  // What could not be enforced, for people; by instance.
  std::vector<std::string> problems() const;

 private:
  // `command` is one of the file.
  Result<LaunchSpec> spec_for(const StartRequest& request, const std::vector<std::string>& command);
  Result<std::optional<UserIds>> user_for(const model::Runtime& runtime);
  Result<std::map<std::string, std::string>> volumes_for(const model::Runtime& runtime,
                                                         const std::optional<UserIds>& user);
  Result<std::string> lay_out_secrets(const StartRequest& request, const std::optional<UserIds>& user);
  Result<std::string> unseal(const StartRequest& request, const std::string& name) const;
  std::string folder_of(const std::string& id) const { return options_.layout.instance(id); }
  std::string secrets_of(const std::string& id) const { return options_.memory_folder + "/" + id; }
  Result<void> make_log_folder(const std::string& folder);
  void sweep_leftovers();

  Parts parts_;
  Options options_;
  std::map<std::string, Running> running_;
  std::map<std::string, std::vector<std::string>> problems_;
  std::vector<std::string> leftovers_;  // ids whose last processes were still dying when they were forgotten
};

}  // namespace freehold::agent
