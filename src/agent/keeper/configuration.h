// What the agent asks of a keeper: read once from an inherited descriptor (docs/operations/keeper-protocol.md).
//
// All text points into one private mapping of that descriptor, which also holds the environment and with it perhaps
// secrets: discard() unmaps it as soon as the workload runs.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace freehold::keeper {

constexpr int kConfigurationDescriptor = 3;
constexpr int kReadyDescriptor = 4;
constexpr int kFirstPassedDescriptor = 5;

constexpr size_t kMostBytes = 1 << 20;
constexpr unsigned kMostWords = 4096;  // of argv and env together
constexpr unsigned kMostCgroups = 8;
constexpr unsigned kMostBinds = 64;
constexpr unsigned kMostListen = 16;

enum class Mode { kInstance, kCommand };

struct Bind {
  const char* path;
  bool read_only;
};

struct Configuration {
  Mode mode = Mode::kInstance;
  const char* instance = "";
  const char* service = "";
  const char* boot = "";
  const char* folder = nullptr;  // where `pid` and `exit` are written
  const char* log_folder = nullptr;
  const char* log_name = nullptr;
  uint64_t log_bytes = 10 << 20;  // of one file
  uint64_t log_files = 5;         // the current one included
  uint64_t log_seconds = 0;       // so old may the first line of the current file be; 0: any age
  const char* cwd = nullptr;
  const char* cgroups[kMostCgroups];  // cgroup.procs files
  unsigned cgroup_count = 0;
  const char* kill_file = nullptr;  // cgroup.kill
  const char* oom_file = nullptr;   // holds a line "oom_kill N"
  bool has_user = false;
  uint64_t user = 0, group = 0;
  bool has_files = false;
  uint64_t files = 0;  // RLIMIT_NOFILE
  uint64_t umask = 027;
  uint64_t oom_score = 0;
  const char* private_tmp = nullptr;      // becomes /tmp
  const char* private_var_tmp = nullptr;  // becomes /var/tmp
  const char* user_list = nullptr;        // a file, becomes /etc/passwd
  const char* group_list = nullptr;       // a file, becomes /etc/group
  Bind binds[kMostBinds];
  unsigned bind_count = 0;
  int listen[kMostListen];
  unsigned listen_count = 0;
  int mount_namespace = -1;   // joined instead of making one
  uint64_t linger_ms = 2000;  // from the end of the workload to SIGKILL for what it left behind
  uint64_t drain_ms = 2000;   // from then to giving up on the pipes
  char** argv = nullptr;      // null-terminated
  char** environment = nullptr;

  // 0, or the errno of what is wrong: EINVAL for a record that this version does not know or that is malformed, E2BIG
  // for one too many, EPROTO for a first or last record that is not the right one.
  int read(int descriptor);
  void discard();

 private:
  int apply(char* key, char* value);
  int check() const;
  char* bytes_ = nullptr;
  size_t size_ = 0;
  char** words_ = nullptr;  // argv grows from the front, the environment stands behind it
  unsigned argument_count_ = 0, environment_count_ = 0;
};

}  // namespace freehold::keeper
