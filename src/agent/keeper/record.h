// The two files by which an instance is known when nobody watched: `pid` (who it is) and `exit` (how it ended).
#pragma once

#include <stdint.h>
#include <sys/types.h>

namespace freehold::keeper {

struct Identity {
  pid_t pid = 0;
  uint64_t start = 0;  // clock ticks since boot, field 22 of /proc/PID/stat
};

// The start time of a living child or of ourselves; 0 if it cannot be read.
uint64_t start_time(pid_t pid);

struct Ending {
  int code = 0;
  int signal = 0;
  const char* step = "";  // of the start, if the program never ran
  int error = 0;          // errno of that step
  uint64_t oom_kills = 0;
};

class Records {
 public:
  // 0 or an errno. Reserves the room for `exit` now, so that a full disk cannot keep an ending from being told.
  int open(const char* folder);
  // `pid` appears whole or not at all. It is not synced: it means nothing after a reboot, and until then the kernel
  // has it, whoever is killed.
  int write_pid(const char* boot, Identity keeper, Identity child);
  int write_exit(const Ending& ending);
  int folder() const { return folder_; }

 private:
  int folder_ = -1;
  int exit_ = -1;
};

}  // namespace freehold::keeper
