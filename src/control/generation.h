// A generation: what one apply was, complete, so that it can be applied again as it was.
//
// The validated file, the texts it came from, what it points at by content digest, and the keyed hashes of the secrets
// that it used (never their values). Numbers grow by one and are never used again. Values only; kept by the store as
// JSON through `fields`.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "model/organisation.h"

namespace freehold::control {

using codec::Of;

enum class GenerationStatus {
  kPending,     // stored, its apply has not begun
  kApplying,    // a rollout towards it is under way
  kCurrent,     // the truth: what runs is measured against it
  kSuperseded,  // was current once
  kFailed,      // its apply failed; `outcome` says why and what was done about it
  kUndone,      // its apply was taken back on request, without a failure
};
inline std::span<const std::string_view> enum_names(GenerationStatus) {
  static constexpr std::array<std::string_view, 6> kNames = {"pending",    "applying", "current",
                                                             "superseded", "failed",   "undone"};
  return kNames;
}

// All of a generation but its services and routes: what history, rollback and the collection of garbage need of it.
struct GenerationHead {
  uint64_t number = 0;
  uint64_t parent = 0;  // the current generation that it was planned against; 0: there was none
  // Where a rollback without a number leads from here: to what ran before this one's contents first came. For an apply
  // that is its parent; for a rollback to N it is where N's own would lead, so that rolling back twice goes two back
  // and not to and fro. 0: nowhere.
  uint64_t before = 0;
  uint64_t services = 0;  // how many
  WallTime created{};
  std::string who;
  std::string message;
  std::string file;                                  // name of the root file, as the user gave it
  std::map<std::string, std::string> sources;        // name of each text (root file and includes) -> its digest
  std::map<std::string, std::string> releases;       // service -> digest of the manifest of its captured files
  std::map<std::string, std::string> files;          // folder named by a route -> digest of its manifest
  std::map<std::string, std::string> secret_hashes;  // secret -> keyed hash of its value
  GenerationStatus status = GenerationStatus::kPending;
  std::string outcome;  // of its apply, for a person
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GenerationHead>& generation) {
  v("number", generation.number);
  v("parent", generation.parent, {"the current one that it was planned against; 0: there was none"});
  v("before", generation.before, {"where a rollback without a number leads from here; 0: nowhere"});
  v("services", generation.services, {"how many"});
  v("created", generation.created);
  v("who", generation.who);
  v("message", generation.message);
  v("file", generation.file);
  v("sources", generation.sources, {"digests of the texts, by name"});
  v("releases", generation.releases, {"digests of the manifests of captured files, by service"});
  v("files", generation.files, {"digests of the manifests of folders, by name"});
  v("secret_hashes", generation.secret_hashes, {"keyed, by name"});
  v("status", generation.status);
  v("outcome", generation.outcome, {"of its apply, for a person"});
}

struct Generation : GenerationHead {
  model::Organisation organisation;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Generation>& generation) {
  fields(v, static_cast<Of<Visitor, GenerationHead>&>(generation));
  v("organisation", generation.organisation);
}

// An apply carries the generation it was planned against: kConflict, with what to do, if that is not current any more.
Result<void> check_base(uint64_t planned_against, uint64_t current);

}  // namespace freehold::control
