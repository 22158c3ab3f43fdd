// Which state directory a call is about, when --state does not say.
#pragma once

#include <string>

#include "base/result.h"
#include "os/disk.h"

namespace freehold::cli {

// /var/lib/freehold for root, else $XDG_STATE_HOME/freehold or ~/.local/state/freehold: organisations lie side by side
// in it, each under its name.
Result<std::string> state_base();

// What was given, absolute; else base/<name> if the file's name is known; else the only organisation that there is,
// else the machine's (machine.h).
// kInvalid, listing what there is, when that is not one.
Result<std::string> find_state_directory(os::Disk& disk, const std::string& given, const std::string& organisation);

}  // namespace freehold::cli
