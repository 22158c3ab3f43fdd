// Processes by identity: a pid alone may be reused, (boot id, pid, start time) never is.
#pragma once

#include <sys/types.h>

#include <compare>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace freehold::os {

struct ProcessId {
  pid_t pid = 0;
  uint64_t start = 0;  // clock ticks since boot, field 22 of /proc/PID/stat
  auto operator<=>(const ProcessId&) const = default;
};

// The kernel's random id of this boot, from /proc/sys/kernel/random/boot_id. FREEHOLD_BOOT_ID overrides it: that is how
// tests forge a reboot.
Result<std::string> boot_id();

// The identity of a living process; kNotFound if there is none (a zombie counts as none).
Result<ProcessId> identify(pid_t pid);

// A pidfd that is certain to refer to this very process: opened, then the start time compared. kNotFound when it is
// gone. The descriptor polls readable when the process ends.
Result<Fd> open_process(const ProcessId& process);

// Sends through the pidfd: it cannot hit a stranger.
Result<void> signal_process(const Fd& pidfd, int signal);

}  // namespace freehold::os
