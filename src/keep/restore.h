// restore: a platform out of a backup, onto a machine that has none of it yet.
//
//   FH_ASSIGN(Checked checked, check_backup(disk, file, key, progress));      // every byte, before anything is written
//   FH_TRY(restore(disk, file, checked, {.state = "/var/lib/freehold/town-hall"}));
//
// Everything is built beside its place, as PLACE.restoring, made durable, and then renamed, the state directory last:
// it is there whole or not at all. The file is opened a second time for that; if it is not the one that was checked,
// nothing is put in place. As root, services get ids of this machine, and what was theirs is theirs; users of the
// system are found by their names. Without root everything belongs to who calls. Blocking.
#pragma once

#include <string>

#include "keep/archive.h"
#include "os/user.h"

namespace freehold::keep {

Result<Checked> check_backup(os::Disk& disk, const std::string& file, const Key& key, const Progress& progress);

struct RestoreOptions {
  std::string state;  // where it shall be; must not be there, or be an empty folder
  std::string registry = os::UserRange::kRegistry;
  Progress progress{};
};

// kConflict: something is where it shall be, or another restore is under way there. kCorrupt: the file is another than
// was checked. After an error nothing of it is left, but for volumes that were in their place before the state was.
Result<void> restore(os::Disk& disk, const std::string& file, const Checked& checked, const RestoreOptions& options);

}  // namespace freehold::keep
