// The child's way from fork to exec: every step by which the workload is put into its place.
//
// Never returns when all went well. Order matters: what needs root comes before the user is taken on, what a change of
// user resets (the parent-death signal) comes after.
#pragma once

#include "agent/keeper/configuration.h"

namespace freehold::keeper {

struct Failure {
  const char* step;
  int error;
  int status;  // where the status pipe is now
};

struct Descriptors {
  int input = -1, output = -1, error = -1;  // become 0, 1, 2; -1 leaves what is there
  int status = -1;                          // close-on-exec; kept open until exec
};

// `parent` is the process whose death must be the workload's.
Failure become_workload(Configuration& configuration, Descriptors descriptors, int parent);

}  // namespace freehold::keeper
