// The agent's side of the keeper's protocol (docs/operations/keeper-protocol.md): configuration out, records in.
#pragma once

#include <string>
#include <vector>

#include "agent/launch_spec.h"
#include "base/result.h"
#include "codec/fields.h"
#include "os/cgroup.h"
#include "os/process.h"

namespace freehold::agent {

// Records are "key=value", each ended by a NUL: values may hold anything else.
class KeeperConfiguration {
 public:
  KeeperConfiguration() { text_ = std::string("freehold-keeper 1") + '\0'; }
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, uint64_t value);
  // kInvalid if a value held a NUL, kExhausted if it is longer than a keeper reads.
  Result<std::string> finish() &&;

 private:
  std::string text_;
  std::string bad_key_;
};

// What instance and command have in common; group and temporary folders differ and are the caller's.
void describe_workload(KeeperConfiguration& configuration, const LaunchSpec& spec,
                       const std::vector<std::string>& command, const std::map<std::string, std::string>& env);

// The instance's environment with what we add: PATH if it has none, FREEHOLD_INSTANCE, FREEHOLD_MARK.
std::map<std::string, std::string> environment_of(const LaunchSpec& spec, const std::string& mark);

// RLIMIT_NOFILE as far as it can be set: raising the hard limit takes CAP_SYS_RESOURCE, which even root may lack. What
// is less than asked is added to `problems`.
std::optional<uint64_t> file_limit(const LaunchSpec& spec, std::vector<std::string>& problems);

// `pid`
struct KeeperPid {
  std::string boot;
  os::ProcessId keeper;
  os::ProcessId child;
};
Result<KeeperPid> read_keeper_pid(const std::string& folder);

// `exit`
struct KeeperExit {
  int code = 0;
  int signal = 0;
  std::string step;  // of the start, if the program never ran
  int error = 0;
  uint64_t oom_kills = 0;
  WallTime at{};
};
Result<KeeperExit> read_keeper_exit(const std::string& folder);

// `launch`: what a later agent must know of this start.
struct LaunchRecord {
  std::string instance;
  std::string program;
  std::string directory;
  std::string mark;  // value of FREEHOLD_MARK in the environment of all its processes
  os::Cgroup group;
};
Result<LaunchRecord> read_launch(const std::string& folder);
Result<void> write_launch(const std::string& folder, const LaunchRecord& record);

// "cannot run its program ./web: No such file or directory", with a hint where there is one.
std::string explain_failure(std::string_view step, int error, const std::string& program, const std::string& directory);

}  // namespace freehold::agent
