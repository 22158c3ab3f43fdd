// back_up: a platform's state and volumes into one file, while everything runs.
//
// The databases are copied as they are at one moment. What the generations in them point at is read right after that;
// should control have removed some of it meanwhile, with the generations it belonged to, a newer moment is taken.
// Volumes come last, file by file, while services write: what was written to meanwhile is named in the summary.
//
// FILE appears whole and proven or not at all: written as FILE.partial, synced, read again from its first byte to its
// last, and renamed. One that was killed leaves FILE.partial, which opens as nothing, and the copies of the databases
// in the state directory (nothing that is not encrypted lies beside FILE); the next one replaces them. Blocking; memory
// does not grow with what there is.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "base/time.h"
#include "keep/archive.h"
#include "model/layout.h"

namespace freehold::keep {

// What a copy of state.db says. Somebody else knows how to read it.
struct StateView {
  std::string organisation;
  uint64_t generation = 0;
  uint64_t generations = 0;
  std::set<std::string> contents;   // digests of everything that they point at
  std::vector<KeptVolume> volumes;  // of the services of all of them
};
using LookAtState = std::function<Result<StateView>(const std::string& database)>;

struct BackupOptions {
  model::Layout layout;
  std::string file;
  bool replace = false;  // one that is there already
  std::string made_by;
  LookAtState look;
  int work_factor = kWorkFactor;
  Progress written{};   // bytes of the file
  Progress verified{};  // the same bytes again
};

// What can be known before a key is asked for. kConflict: FILE is there; kNotFound: there is no state; kDenied.
Result<void> check_before_backup(os::Disk& disk, const BackupOptions& options);

// kConflict: FILE is there, or another backup of this state is under way. What could not be read of a volume is in
// Summary::lost and no error. kNotFound: there is no state. kExhausted, kDenied, kUnavailable: of the disk.
Result<Summary> back_up(os::Disk& disk, os::Random& random, WallTime now, const Key& key, const BackupOptions& options);

}  // namespace freehold::keep
