// Draft: a generation worked out from what somebody asks for, measured against what the state says, and not stored yet.
//
// plan makes one and throws it away; apply and rollback make one and begin a rollout with it. Blocks for the disk.
#pragma once

#include "contents/contents.h"
#include "control/compose.h"
#include "control/ledger.h"
#include "control/ports.h"
#include "model/submission.h"

namespace freehold::control {

// Ports on 127.0.0.1 for the stable addresses of services.
struct AddressRange {
  uint16_t first = 19000;
  uint16_t last = 19999;
};

struct Draft {
  Generation generation;
  Allocations allocations;
  Overrides overrides;
  Composed composed;
  std::map<std::string, std::string> sealed;  // hash -> sealed value, of secrets that the state does not have
};

// What a draft is measured against. All of it must outlive the call.
struct DraftBase {
  const LedgerReader& ledger;
  const Composed* composed;  // the current generation; null: there is none
  AddressRange addresses;
  WallTime now{};
};

// With `contents`, the texts and manifests are stored there and all that they name must be there: for an apply.
// Without, nothing is stored and no upload is needed: for a plan. kInvalid: the file is wrong, or files are missing.
Result<Draft> draft_submission(const DraftBase& base, const model::Submission& submission, SecretBox& secrets,
                               contents::ContentStore* contents);

// An older generation again, under a new number.
Result<Draft> draft_rollback(const DraftBase& base, uint64_t number);

// Gives an address to each service that has none. kExhausted if the range is used up.
Result<void> allocate(const model::Organisation& organisation, AddressRange range, Allocations& allocations);

}  // namespace freehold::control
