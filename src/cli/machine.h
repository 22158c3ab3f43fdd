// The machine's own organisation: the one that systemd runs where the package is installed. Its file and its state have
// one place each, so that the command line finds both without being told.
#pragma once

#include <string>

#include "model/layout.h"

namespace freehold::cli {

inline constexpr const char* kMachineFile = "/etc/freehold/freehold.yaml";
inline constexpr const char* kMachineState = "/var/lib/freehold/system";

// Whether a path, as it was given, is the machine's file.
bool is_machine_file(const std::string& path);
// Its daemons are units: started and ended by systemctl, never from here.
bool is_machine_state(const model::Layout& layout);

// What `systemctl stop freehold` does first: every service is stopped as the file says, by the agent, which ends then.
// What is wanted stays, and the next start brings it back. Returns the exit code of the process.
int stop_from_unit(const std::string& state);

}  // namespace freehold::cli
