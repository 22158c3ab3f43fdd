// Materialising: builds the files of a manifest in a folder, whole or not at all.
//
// They are built in "<destination>.new", each checked against its digest and synced, and renamed into place; after a
// power cut the destination is missing or complete. One that is there already is compared in full, bytes included, and
// kept if it is what it should be; otherwise it is replaced, with a moment in which it is missing. Modes are exact,
// whatever the umask. Links are made but never followed.
//
// The folder above must exist and belong to the caller. Errors: kNotFound (a content is missing), kCorrupt (it is
// damaged), kExhausted (disk full; what was begun is removed).
#pragma once

#include <optional>
#include <string>

#include "contents/contents.h"
#include "contents/manifest.h"

namespace freehold::contents {

struct Placement {
  std::optional<uid_t> owner;  // none: as they come to be; setting it takes root
  std::optional<gid_t> group;
  mode_t file = 0644;
  mode_t executable = 0755;
  mode_t folder = 0755;
};

enum class Outcome {
  kBuilt,
  kKept,     // was there and is right
  kReplaced  // was there and was not what it should be
};

Result<Outcome> materialise(os::Disk& disk, const Contents& contents, const Manifest& manifest,
                            const std::string& destination, const Placement& placement);

// Whether the folder holds exactly what the manifest says, as `placement` says.
Result<bool> is_materialised(os::Disk& disk, const Manifest& manifest, const std::string& folder,
                             const Placement& placement);

}  // namespace freehold::contents
