#include "control/ledger.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "control/ledger_keys.h"

namespace freehold::control {
namespace {

// What a rollout switches between; it does not change while the rollout runs.
struct RoutingPair {
  std::optional<model::Routing> to;
  std::optional<model::Routing> from;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, RoutingPair>& pair) {
  v("to", pair.to);
  v("from", pair.from);
}

template <class T>
std::string encode(const T& value) {
  return codec::to_json(value).dump();
}

}  // namespace

Result<void> LedgerReader::load_desired() {
  FH_ASSIGN(desired, read_or_default<DesiredState>(*store_, keys::kDesired));
  FH_ASSIGN(desired.routing, read_or_default<model::Routing>(*store_, keys::kRouting));
  FH_ASSIGN(std::vector<store::Entry> parts, list_all(*store_, keys::kDesiredServices));
  for (const store::Entry& entry : parts) {
    FH_ASSIGN(DesiredService part, decode<DesiredService>(entry.key, entry.value));
    add_part(desired, entry.key.substr(keys::kDesiredServices.size()), std::move(part));
  }
  stored_revision_ = desired.revision;
  return {};
}

Result<void> LedgerReader::load_rollout() {
  auto stored = store_->get(keys::kRollout);
  if (!stored) return stored.error().code() == ErrorCode::kNotFound ? Result<void>() : stored.error();
  FH_ASSIGN(rollout, decode<Rollout>(stored->key, stored->value));
  FH_ASSIGN(RoutingPair routing, read_or_default<RoutingPair>(*store_, keys::kRolloutRouting));
  rollout->routing_to = std::move(routing.to);
  rollout->routing_from = std::move(routing.from);
  FH_ASSIGN(std::vector<store::Entry> parts, list_all(*store_, keys::kRolloutServices));
  for (const store::Entry& entry : parts) {
    FH_ASSIGN(ServiceRollout service, decode<ServiceRollout>(entry.key, entry.value));
    rollout->services.push_back(std::move(service));
  }
  put_in_order(*rollout);
  bool runs = rollout->outcome == Outcome::kRunning;
  if (runs && !rollout->routed && !(rollout->routing_to && rollout->routing_from))
    return Error(ErrorCode::kCorrupt, fmt::format("the state's {}: it is not there", keys::kRolloutRouting));
  stored_rollout_ = rollout->id;
  return {};
}

Result<void> LedgerReader::load() {
  FH_TRY(check_format(*store_));
  FH_ASSIGN(current, read_or_default<uint64_t>(*store_, keys::kCurrent));
  FH_ASSIGN(overrides, read_or_default<Overrides>(*store_, keys::kOverrides));
  FH_ASSIGN(allocations, read_or_default<Allocations>(*store_, keys::kAllocations));
  FH_TRY(load_desired());
  FH_TRY(load_rollout());
  FH_ASSIGN(std::vector<GenerationHead> newest, heads(1));
  if (!newest.empty()) last_generation_ = newest.front().number;
  return {};
}

Result<LedgerReader> LedgerReader::look(store::Store& store) {
  constexpr int kMostTries = 10;
  for (int i = 0; i < kMostTries; ++i) {
    LedgerReader reader(store);
    FH_ASSIGN(store::Revision before, store.revision());
    auto loaded = reader.load();
    FH_ASSIGN(store::Revision after, store.revision());
    // Read while somebody wrote, it may be of two moments; what does not fit then is no damage.
    if (before != after) continue;
    if (!loaded) return loaded.error();
    return reader;
  }
  return Error(ErrorCode::kUnavailable, "the state is being written all the time: try again");
}

Result<GenerationHead> LedgerReader::head(uint64_t number) const {
  auto entry = store_->get(keys::generation(number));
  if (!entry && entry.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("there is no generation {} any more, or not yet; see `freehold history`", number));
  }
  if (!entry) return entry.error();
  return decode<GenerationHead>(entry->key, entry->value);
}

Result<Generation> LedgerReader::generation(uint64_t number) const {
  Generation out;
  FH_ASSIGN(static_cast<GenerationHead&>(out), head(number));
  FH_ASSIGN(store::Entry entry, store_->get(keys::organisation(number)));
  FH_ASSIGN(out.organisation, decode<model::Organisation>(entry.key, entry.value));
  return out;
}

Result<std::vector<GenerationHead>> LedgerReader::heads(size_t limit) const {
  FH_ASSIGN(std::vector<store::Entry> entries, list_all(*store_, keys::kGenerations));
  std::vector<GenerationHead> out;
  for (auto entry = entries.rbegin(); entry != entries.rend() && out.size() < limit; ++entry) {
    FH_ASSIGN(GenerationHead generation, decode<GenerationHead>(entry->key, entry->value));
    out.push_back(std::move(generation));
  }
  return out;
}

Result<std::string> LedgerReader::sealed_secret(const std::string& hash) const {
  FH_ASSIGN(store::Entry entry, store_->get(std::string(keys::kSecrets) + hash));
  return entry.value;
}

Result<Ledger> Ledger::open(store::Store& store) {
  Ledger ledger(store);
  // Before anything is written: what another version wrote is left as it is.
  FH_TRY(check_format(store));
  store::Write write;
  auto entry = store.get(keys::kEpoch);
  if (!entry && entry.error().code() != ErrorCode::kNotFound) return entry.error();
  uint64_t epoch = 0;
  if (entry) std::from_chars(entry->value.data(), entry->value.data() + entry->value.size(), epoch);
  write.expect(std::string(keys::kEpoch), entry ? entry->revision : store::kAbsent)
      .put(std::string(keys::kEpoch), std::to_string(epoch + 1));
  if (!entry) write.put(std::string(keys::kFormat), std::to_string(keys::kFormatVersion));
  FH_ASSIGN(ledger.epoch_, store.commit(write));
  FH_TRY(ledger.load());
  return ledger;
}

void Ledger::put_desired(store::Write& write) const {
  if (desired.revision != stored_revision_) write.put(std::string(keys::kDesired), encode(desired));
  if (desired.rerouted) write.put(std::string(keys::kRouting), encode(desired.routing));
  for (const std::string& service : desired.touched)
    write.put(std::string(keys::kDesiredServices) + service, encode(part_of(desired, service)));
}

void Ledger::put_rollout(store::Write& write) const {
  write.put(std::string(keys::kRollout), encode(*rollout));
  bool runs = rollout->outcome == Outcome::kRunning;
  if (!runs) {
    // What it was made of is of no use any more.
    write.remove(std::string(keys::kRolloutRouting));
    for (const ServiceRollout& service : rollout->services)
      write.remove(std::string(keys::kRolloutServices) + service.service);
    return;
  }
  if (rollout->id != stored_rollout_)
    write.put(std::string(keys::kRolloutRouting), encode(RoutingPair{rollout->routing_to, rollout->routing_from}));
  for (const ServiceRollout& service : rollout->services) {
    if (rollout->touched.contains(service.service))
      write.put(std::string(keys::kRolloutServices) + service.service, encode(service));
  }
}

Result<void> Ledger::commit(const Changed& changed) {
  store::Write write;
  write.expect(std::string(keys::kEpoch), epoch_);
  if (changed.lease != nullptr) write.expect(changed.lease->key(), changed.lease->revision);
  if (changed.current) write.put(std::string(keys::kCurrent), std::to_string(current));
  put_desired(write);
  bool puts_rollout = rollout && (changed.rollout || !rollout->touched.empty());
  if (puts_rollout) put_rollout(write);
  if (changed.overrides) write.put(std::string(keys::kOverrides), encode(overrides));
  if (changed.allocations) write.put(std::string(keys::kAllocations), encode(allocations));
  for (const Generation* generation : changed.generations) {
    write.put(keys::generation(generation->number), encode(static_cast<const GenerationHead&>(*generation)));
    write.put(keys::organisation(generation->number), encode(generation->organisation));
  }
  for (const GenerationHead* head : changed.heads) write.put(keys::generation(head->number), encode(*head));
  for (const auto& [hash, sealed] : changed.secrets) write.put(std::string(keys::kSecrets) + hash, sealed);
  if (write.operations().empty()) return {};
  FH_TRY(store_->commit(write));
  stored_revision_ = desired.revision;
  desired.rerouted = false;
  desired.touched.clear();
  if (puts_rollout) {
    stored_rollout_ = rollout->id;
    rollout->touched.clear();
  }
  for (const Generation* generation : changed.generations)
    last_generation_ = std::max(last_generation_, generation->number);
  return {};
}

Result<std::vector<GenerationHead>> Ledger::prune(size_t keep) {
  FH_ASSIGN(std::vector<GenerationHead> all, heads(SIZE_MAX));
  std::vector<GenerationHead> kept;
  size_t worked = 0;
  size_t failed = 0;
  store::Write write;
  write.expect(std::string(keys::kEpoch), epoch_);
  std::set<std::string> hashes;
  for (GenerationHead& generation : all) {
    bool in_use = generation.number == current ||
                  (rollout && (generation.number == rollout->target || generation.number == rollout->previous));
    bool fails = generation.status == GenerationStatus::kFailed || generation.status == GenerationStatus::kUndone;
    bool too_many = fails ? ++failed > keep / 4 : ++worked > keep;
    if (too_many && !in_use) {
      write.remove(keys::generation(generation.number)).remove(keys::organisation(generation.number));
      continue;
    }
    for (const auto& [name, hash] : generation.secret_hashes) hashes.insert(hash);
    kept.push_back(std::move(generation));
  }
  for (const std::string& hash : secrets_needed(desired)) hashes.insert(hash);
  FH_ASSIGN(std::vector<store::Entry> secrets, list_all(*store_, keys::kSecrets));
  for (const store::Entry& entry : secrets) {
    if (!hashes.contains(entry.key.substr(keys::kSecrets.size()))) write.remove(entry.key);
  }
  if (!write.operations().empty()) FH_TRY(store_->commit(write));
  return kept;
}

}  // namespace freehold::control
