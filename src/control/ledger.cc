#include "control/ledger.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace freehold::control {
namespace {

constexpr std::string_view kEpoch = "control/epoch";
constexpr std::string_view kCurrent = "control/current";
constexpr std::string_view kDesired = "control/desired";
constexpr std::string_view kRollout = "control/rollout";
constexpr std::string_view kOverrides = "control/overrides";
constexpr std::string_view kAllocations = "control/allocations";
constexpr std::string_view kGenerations = "generations/";
constexpr std::string_view kSecrets = "secrets/";
constexpr size_t kPage = 1000;

std::string generation_key(uint64_t number) { return fmt::format("{}{:010}", kGenerations, number); }

template <class T>
Result<T> decode(const std::string& key, const std::string& value) {
  auto json = codec::Json::parse(value);
  if (!json) return Error(ErrorCode::kCorrupt, fmt::format("the state's {}: {}", key, json.error().message()));
  auto out = codec::from_json<T>(*json);
  if (!out) return Error(ErrorCode::kCorrupt, fmt::format("the state's {}: {}", key, out.error().message()));
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

Result<std::vector<store::Entry>> list_all(store::Store& store, std::string_view prefix) {
  std::vector<store::Entry> out;
  for (std::string after;;) {
    FH_ASSIGN(store::Page page, store.list(prefix, kPage, after));
    for (store::Entry& entry : page.entries) out.push_back(std::move(entry));
    if (!page.more || out.empty()) return out;
    after = out.back().key;
  }
}

template <class T>
std::string encode(const T& value) {
  return codec::to_json(value).dump();
}

}  // namespace

Result<Ledger> Ledger::open(store::Store& store) {
  Ledger ledger(store);
  store::Write write;
  auto entry = store.get(kEpoch);
  if (!entry && entry.error().code() != ErrorCode::kNotFound) return entry.error();
  uint64_t epoch = 0;
  if (entry) std::from_chars(entry->value.data(), entry->value.data() + entry->value.size(), epoch);
  write.expect(std::string(kEpoch), entry ? entry->revision : store::kAbsent)
      .put(std::string(kEpoch), std::to_string(epoch + 1));
  FH_ASSIGN(ledger.epoch_, store.commit(write));
  FH_TRY(ledger.load());
  return ledger;
}

Result<void> Ledger::load() {
  FH_ASSIGN(current, read_or_default<uint64_t>(*store_, kCurrent));
  FH_ASSIGN(desired, read_or_default<DesiredState>(*store_, kDesired));
  FH_ASSIGN(overrides, read_or_default<Overrides>(*store_, kOverrides));
  FH_ASSIGN(allocations, read_or_default<Allocations>(*store_, kAllocations));
  auto stored = store_->get(kRollout);
  if (stored) {
    FH_ASSIGN(rollout, decode<Rollout>(stored->key, stored->value));
  } else if (stored.error().code() != ErrorCode::kNotFound) {
    return stored.error();
  }
  FH_ASSIGN(std::vector<store::Entry> entries, list_all(*store_, kGenerations));
  if (!entries.empty()) {
    FH_ASSIGN(Generation last, decode<Generation>(entries.back().key, entries.back().value));
    last_generation_ = last.number;
  }
  return {};
}

Result<void> Ledger::commit(const Changed& changed) {
  store::Write write;
  write.expect(std::string(kEpoch), epoch_);
  if (changed.lease != nullptr) write.expect(changed.lease->key(), changed.lease->revision);
  if (changed.current) write.put(std::string(kCurrent), std::to_string(current));
  if (changed.desired) write.put(std::string(kDesired), encode(desired));
  if (changed.rollout && rollout) write.put(std::string(kRollout), encode(*rollout));
  if (changed.overrides) write.put(std::string(kOverrides), encode(overrides));
  if (changed.allocations) write.put(std::string(kAllocations), encode(allocations));
  for (const Generation* generation : changed.generations)
    write.put(generation_key(generation->number), encode(*generation));
  for (const auto& [hash, sealed] : changed.secrets) write.put(std::string(kSecrets) + hash, sealed);
  if (write.operations().empty()) return {};
  FH_TRY(store_->commit(write));
  for (const Generation* generation : changed.generations)
    last_generation_ = std::max(last_generation_, generation->number);
  return {};
}

Result<Generation> Ledger::generation(uint64_t number) {
  auto entry = store_->get(generation_key(number));
  if (!entry && entry.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("there is no generation {} any more, or not yet; see `freehold history`", number));
  }
  if (!entry) return entry.error();
  return decode<Generation>(entry->key, entry->value);
}

Result<std::vector<Generation>> Ledger::generations(size_t limit) {
  FH_ASSIGN(std::vector<store::Entry> entries, list_all(*store_, kGenerations));
  std::vector<Generation> out;
  for (auto entry = entries.rbegin(); entry != entries.rend() && out.size() < limit; ++entry) {
    FH_ASSIGN(Generation generation, decode<Generation>(entry->key, entry->value));
    out.push_back(std::move(generation));
  }
  return out;
}

Result<std::string> Ledger::sealed_secret(const std::string& hash) {
  FH_ASSIGN(store::Entry entry, store_->get(std::string(kSecrets) + hash));
  return entry.value;
}

Result<std::vector<Generation>> Ledger::prune(size_t keep) {
  FH_ASSIGN(std::vector<store::Entry> entries, list_all(*store_, kGenerations));
  std::vector<Generation> kept;
  store::Write write;
  write.expect(std::string(kEpoch), epoch_);
  std::set<std::string> hashes;
  for (size_t i = 0; i < entries.size(); ++i) {
    FH_ASSIGN(Generation generation, decode<Generation>(entries[i].key, entries[i].value));
    bool in_use = generation.number == current ||
                  (rollout && (generation.number == rollout->target || generation.number == rollout->previous));
    if (entries.size() - i > keep && !in_use) {
      write.remove(entries[i].key);
      continue;
    }
    for (const auto& [name, hash] : generation.secret_hashes) hashes.insert(hash);
    kept.push_back(std::move(generation));
  }
  for (const std::string& hash : secrets_needed(desired)) hashes.insert(hash);
  FH_ASSIGN(std::vector<store::Entry> secrets, list_all(*store_, kSecrets));
  for (const store::Entry& entry : secrets) {
    if (!hashes.contains(entry.key.substr(kSecrets.size()))) write.remove(entry.key);
  }
  if (!write.operations().empty()) FH_TRY(store_->commit(write));
  return kept;
}

}  // namespace freehold::control
