// The processes of an instance where no control group tells: by the mark in their environment and by their session.
#pragma once

#include <string>
#include <vector>

#include "os/process.h"

namespace freehold::agent {

// Everything whose environment holds FREEHOLD_MARK=`mark`, or whose session is `session` (0: any). A program that
// clears its environment and leaves the session escapes; its keeper, as the subreaper, still gets it in the end.
std::vector<os::ProcessId> find_marked(const std::string& mark, pid_t session);
void kill_marked(const std::string& mark, pid_t session);

}  // namespace freehold::agent
