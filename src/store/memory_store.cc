#include "store/memory_store.h"

#include <fmt/core.h>

namespace freehold::store {

Result<Revision> MemoryStore::revision() {
  std::lock_guard lock(mutex_);
  return revision_;
}

Result<Entry> MemoryStore::get(std::string_view key) {
  std::lock_guard lock(mutex_);
  auto found = slots_.find(key);
  if (found == slots_.end() || !found->second.value) {
    return Error(ErrorCode::kNotFound, fmt::format("there is no '{}'", key));
  }
  return Entry{found->first, *found->second.value, found->second.revision};
}

Result<Page> MemoryStore::list(std::string_view prefix, size_t limit, std::string_view after) {
  std::lock_guard lock(mutex_);
  Page page{.revision = revision_};
  auto at = after < prefix ? slots_.lower_bound(prefix) : slots_.upper_bound(after);
  for (; at != slots_.end() && at->first.starts_with(prefix); ++at) {
    if (!at->second.value) continue;
    if (page.entries.size() == limit) {
      page.more = true;
      break;
    }
    page.entries.push_back({at->first, *at->second.value, at->second.revision});
  }
  return page;
}

Revision MemoryStore::revision_of(const std::string& key) const {
  auto found = slots_.find(key);
  return found == slots_.end() || !found->second.value ? kAbsent : found->second.revision;
}

Result<Revision> MemoryStore::commit(const Write& write) {
  FH_TRY(check_write(write));
  Revision committed;
  {
    std::lock_guard lock(mutex_);
    for (const auto& condition : write.conditions()) {
      Revision found = revision_of(condition.key);
      if (found != condition.revision) return condition_failed(condition, found);
    }
    if (write.operations().empty()) return revision_;
    ++revision_.value;
    for (const auto& operation : write.operations()) set(operation.key, operation.value);
    compact();
    committed = revision_;
  }
  subscribers_.notify(committed);
  return committed;
}

void MemoryStore::set(const std::string& key, const std::optional<std::string>& value) {
  auto found = slots_.find(key);
  bool there = found != slots_.end() && found->second.value;
  if (!value && !there) return;
  if (found != slots_.end()) {
    if (!there) --deleted_;
    auto [first, last] = by_revision_.equal_range(found->second.revision.value);
    for (auto at = first; at != last; ++at) {
      if (at->second != key) continue;
      by_revision_.erase(at);
      break;
    }
  }
  if (!value) ++deleted_;
  slots_.insert_or_assign(key, Slot{value, revision_});
  by_revision_.emplace(revision_.value, key);
}

void MemoryStore::compact() {
  for (auto at = by_revision_.begin(); deleted_ > deletions_ && at != by_revision_.end();) {
    auto slot = slots_.find(at->second);
    if (slot->second.value) {
      ++at;
      continue;
    }
    horizon_ = slot->second.revision;
    slots_.erase(slot);
    at = by_revision_.erase(at);
    --deleted_;
  }
}

Result<Changes> MemoryStore::changes(std::string_view prefix, Revision after, size_t limit) {
  std::lock_guard lock(mutex_);
  if (after < horizon_ || after > revision_) return behind_horizon(after, horizon_);
  Changes result{.through = revision_};
  for (auto at = by_revision_.upper_bound(after.value); at != by_revision_.end(); ++at) {
    if (!at->second.starts_with(prefix)) continue;
    Revision revision{at->first};
    if (!result.changes.empty() && result.changes.size() >= limit && revision != result.changes.back().revision) {
      result.through = result.changes.back().revision;
      result.more = true;
      break;
    }
    result.changes.push_back({at->second, slots_.find(at->second)->second.value, revision});
  }
  return result;
}

Subscription MemoryStore::on_commit(std::function<void(Revision)> callback) {
  return subscribers_.add(std::move(callback));
}

}  // namespace freehold::store
