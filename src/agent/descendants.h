// The processes of an instance where no control group tells: by the mark in their environment and by their session.
#pragma once

#include <string>
#include <vector>

#include "os/process.h"

namespace freehold::agent {

// Everything whose environment holds FREEHOLD_MARK=`mark`, or that is in the session that `leader` began (pid 0: none).
// A program that clears its environment and leaves the session escapes; its keeper, as the subreaper, still gets it in
// the end.
std::vector<os::ProcessId> find_marked(const std::string& mark, const os::ProcessId& leader);
void kill_marked(const std::string& mark, const os::ProcessId& leader);

// The keeper that was started with this mark, as long as it has not hidden its environment: until its program runs.
std::vector<os::ProcessId> find_starting_keepers(const std::string& mark);

}  // namespace freehold::agent
