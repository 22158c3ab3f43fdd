// Starting the keeper program with descriptors at the numbers that its protocol says, and hearing its answer.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "os/process.h"

namespace freehold::agent {

// The variable, and the only one, in a keeper's environment: by it a keeper is found before it could write its `pid`.
inline constexpr std::string_view kKeeperMark = "FREEHOLD_KEEPER";

struct SpawnRequest {
  std::string keeper;                       // the program
  std::string name;                         // shown by ps: "freehold-keeper web.3"
  std::string mark;                         // of this start (LaunchRecord), or empty
  std::string configuration;                // KeeperConfiguration::finish
  int input = -1, output = -1, error = -1;  // borrowed; -1 is /dev/null
  std::vector<int> passed;                  // borrowed; arrive as 5, 6 ...
};

struct Spawned {
  pid_t pid = 0;
  os::Fd answer;  // read end of the pipe
};

Result<Spawned> spawn_keeper(const SpawnRequest& request);

struct Answer {
  enum class Kind {
    kRunning,  // of an instance
    kFailed,   // a step failed; the program never ran
    kClosed,   // the pipe was closed without a word: a command runs, or a keeper died
    kLate,     // nothing within the time
  };
  Kind kind = Kind::kClosed;
  os::ProcessId keeper;  // kRunning
  os::ProcessId child;   // kRunning
  std::string step;      // kFailed
  int error = 0;         // kFailed
};
Answer wait_for_answer(const os::Fd& answer, Duration most);

}  // namespace freehold::agent
