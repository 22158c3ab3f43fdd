#include "control/ledger_keys.h"

#include <fmt/core.h>

namespace freehold::control {
namespace {

constexpr size_t kPage = 1000;

}  // namespace

std::string keys::generation(uint64_t number) { return fmt::format("{}{:010}", kGenerations, number); }
std::string keys::organisation(uint64_t number) { return fmt::format("{}{:010}", kOrganisations, number); }

Result<void> check_format(store::Store& store) {
  auto epoch = store.get(keys::kEpoch);
  if (!epoch && epoch.error().code() == ErrorCode::kNotFound) return {};
  if (!epoch) return epoch.error();
  auto entry = store.get(keys::kFormat);
  if (!entry && entry.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("the state was written by an older Freehold, before its format {}: stop everything with "
                             "that Freehold (`freehold down`), move the state directory aside, and apply the file "
                             "again; nothing was changed",
                             keys::kFormatVersion));
  }
  if (!entry) return entry.error();
  FH_ASSIGN(uint64_t version, decode<uint64_t>(entry->key, entry->value));
  if (version == keys::kFormatVersion) return {};
  return Error(
      ErrorCode::kUnsupported,
      fmt::format("the state was written by {} Freehold (format {}; this one has {}): run that Freehold again; "
                  "nothing was changed",
                  version > keys::kFormatVersion ? "a newer" : "an older", version, keys::kFormatVersion));
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

}  // namespace freehold::control
