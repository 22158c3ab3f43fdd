// Where the ledger's parts lie, and how they are read back. Internal to ledger.cc and what tests it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/fields.h"
#include "store/store.h"

namespace freehold::control {

namespace keys {

constexpr std::string_view kEpoch = "control/epoch";
constexpr std::string_view kFormat = "control/format";
constexpr std::string_view kCurrent = "control/current";
constexpr std::string_view kDesired = "control/desired";
constexpr std::string_view kRouting = "control/routing";
constexpr std::string_view kDesiredServices = "desired/";
constexpr std::string_view kRollout = "control/rollout";
constexpr std::string_view kRolloutRouting = "control/rollout-routing";
constexpr std::string_view kRolloutServices = "rollout/";
constexpr std::string_view kOverrides = "control/overrides";
constexpr std::string_view kAllocations = "control/allocations";
constexpr std::string_view kGenerations = "generations/";
constexpr std::string_view kOrganisations = "organisations/";
constexpr std::string_view kSecrets = "secrets/";

// 1 had the whole desired state in one value, and no number.
constexpr uint64_t kFormatVersion = 2;

std::string generation(uint64_t number);
std::string organisation(uint64_t number);

}  // namespace keys

// kUnsupported, with what to do, if the state was written by a Freehold that keeps it otherwise. A new store is fine.
Result<void> check_format(store::Store& store);

Result<std::vector<store::Entry>> list_all(store::Store& store, std::string_view prefix);

template <class T>
Result<T> decode(const std::string& key, const std::string& value) {
  auto json = codec::Json::parse(value);
  auto out = json ? codec::from_json<T>(*json) : Result<T>(json.error());
  if (!out) return Error(ErrorCode::kCorrupt, "the state's " + key + ": " + out.error().message());
  return out;
}

// The value of a key, or a default where there is none yet.
template <class T>
Result<T> read_or_default(store::Store& store, std::string_view key) {
  auto entry = store.get(key);
  if (!entry) {
    if (entry.error().code() == ErrorCode::kNotFound) return T{};
    return entry.error();
  }
  return decode<T>(entry->key, entry->value);
}

}  // namespace freehold::control
