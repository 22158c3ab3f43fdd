// Store: where control keeps what must not be lost, behind one interface for every engine.
//
// A flat map from keys to values, with one revision for the whole store that grows by one with each write that was
// committed, and that each entry remembers from its own last write. That is all of etcd's idea that control needs:
//
//   Write write;
//   write.expect("generations/current", seen.revision)   // compare ...
//        .put("generations/5", json)                     // ... and set, all or nothing
//        .put("generations/current", "5");
//   FH_ASSIGN(Revision revision, store.commit(write));   // kConflict: somebody was first, read again
//
// Keys are parts of printable ASCII without spaces, joined by '/', e.g. "services/web/uid"; no part is empty. Values
// are any bytes. A prefix is any beginning of keys; "services/web/" names what is below web.
//
// Watching is by levels, not by edges: changes(after) gives each key that changed since that revision once, with its
// newest value, in the order of revisions. So a slow watcher costs nothing, and the store needs no second copy of the
// past. Deletions are remembered for a bounded number of keys; who comes from before that horizon gets kConflict and
// reads everything again with list().
//
// Durability: when commit() has returned a revision, a power cut cannot take it back. Errors: kInvalid (key or write
// out of limits), kNotFound, kConflict, kUnavailable (another process writes), kExhausted (disk full: nothing of the
// write is there), kCorrupt, kUnsupported. Any thread may call; calls block for the disk.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/units.h"
#include "store/subscribers.h"

namespace freehold::store {

using Revision = StrongId<struct RevisionTag>;

// As an expectation: the key is not there.
inline constexpr Revision kAbsent{0};

struct Entry {
  std::string key;
  std::string value;
  Revision revision;  // of the write that put this value
  bool operator==(const Entry&) const = default;
};

struct Change {
  std::string key;
  std::optional<std::string> value;  // none: it was deleted
  Revision revision;
  bool operator==(const Change&) const = default;
};

// Conditions and what to do if all of them hold. A key may be expected once and changed once.
class Write {
 public:
  struct Condition {
    std::string key;
    Revision revision;
  };
  struct Operation {
    std::string key;
    std::optional<std::string> value;  // none: delete, which a missing key does not mind
  };
  Write& expect(std::string key, Revision revision) {
    conditions_.push_back({std::move(key), revision});
    return *this;
  }
  Write& put(std::string key, std::string value) {
    operations_.push_back({std::move(key), std::move(value)});
    return *this;
  }
  Write& remove(std::string key) {
    operations_.push_back({std::move(key), std::nullopt});
    return *this;
  }
  const std::vector<Condition>& conditions() const { return conditions_; }
  const std::vector<Operation>& operations() const { return operations_; }

 private:
  std::vector<Condition> conditions_;
  std::vector<Operation> operations_;
};

struct Page {
  std::vector<Entry> entries{};  // by key
  Revision revision{};           // of the store when this was read; watch from here
  bool more = false;             // go on after the last key
};

struct Changes {
  std::vector<Change> changes{};  // by revision; one write is never split
  Revision through{};             // complete up to here: ask again after this
  bool more = false;              // there is more already
};

class Store {
 public:
  static constexpr size_t kMostKeyBytes = 512;
  static constexpr Bytes kMostValue{32 << 20};
  static constexpr Bytes kMostWrite{64 << 20};
  static constexpr size_t kMostOperations = 200'000;

  virtual ~Store() = default;

  virtual Result<Revision> revision() = 0;
  virtual Result<Entry> get(std::string_view key) = 0;  // kNotFound
  // Up to `limit` entries whose key begins with `prefix` and is greater than `after`.
  virtual Result<Page> list(std::string_view prefix, size_t limit, std::string_view after = {}) = 0;
  // The revision of this write; that of the store if the write has conditions only.
  virtual Result<Revision> commit(const Write& write) = 0;
  // At least one whole write if there is any; about `limit` keys. kConflict if `after` is before the horizon, or has
  // not happened yet in this store (it was restored from an older copy).
  virtual Result<Changes> changes(std::string_view prefix, Revision after, size_t limit) = 0;
  // Called after each write that this process committed, with its revision, in the thread that wrote.
  virtual Subscription on_commit(std::function<void(Revision)> callback) = 0;
};

// Whether a write is within the limits that every engine holds; kInvalid or kExhausted with the reason.
Result<void> check_write(const Write& write);
// The least string that is greater than all that begin with `prefix`; empty if there is none.
std::string after_prefix(std::string_view prefix);

// Common to the engines: what a failed condition and a horizon that was passed say.
Error condition_failed(const Write::Condition& condition, Revision found);
Error behind_horizon(Revision after, Revision horizon);

}  // namespace freehold::store
