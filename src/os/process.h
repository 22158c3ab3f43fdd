// Processes by identity: a pid alone may be reused, (boot id, pid, start time) never is.
#pragma once

#include <sys/types.h>

#include <compare>
#include <string>

#include "base/result.h"
#include "base/units.h"
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

// A pidfd of a child of ours that has not been waited for: such a pid cannot belong to another, even as a zombie.
// Empty, with errno, if there is none.
Fd open_child(pid_t child);

// True when the process of the pidfd has ended; waits at most that long.
bool wait_ended(const Fd& pidfd, Duration most);

// Sends through the pidfd: it cannot hit a stranger.
Result<void> signal_process(const Fd& pidfd, int signal);

}  // namespace freehold::os
