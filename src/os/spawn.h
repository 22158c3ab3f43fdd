// Starting a program of our own as a child: daemons from the CLI, the agent from its watcher.
// Services are not started with this: agent/launcher.h isolates them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace freehold::os {

struct SpawnOptions {
  std::vector<std::string> words;        // words[0] is the program's path
  std::vector<std::string> environment;  // "NAME=value"; nothing is inherited
  std::string standard_output;           // file to append stdout and stderr to; empty: inherited
  bool new_session = false;              // survives the terminal and is not reached by its signals
};

// The child's pid once its exec has succeeded; an error that names the program if it has not.
Result<pid_t> spawn(const SpawnOptions& options);

// The path of the running executable, and of the folder that it is in.
Result<std::string> own_executable();

}  // namespace freehold::os
