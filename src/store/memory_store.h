// A Store that forgets everything when it is destroyed: for tests and the simulator.
#pragma once

#include <map>
#include <mutex>

#include "store/store.h"

namespace freehold::store {

class MemoryStore : public Store {
 public:
  // `deletions`: how many deleted keys are remembered for watchers.
  explicit MemoryStore(size_t deletions = 10'000) : deletions_(deletions) {}

  Result<Revision> revision() override;
  Result<Entry> get(std::string_view key) override;
  Result<Page> list(std::string_view prefix, size_t limit, std::string_view after) override;
  Result<Revision> commit(const Write& write) override;
  Result<Changes> changes(std::string_view prefix, Revision after, size_t limit) override;
  Subscription on_commit(std::function<void(Revision)> callback) override;

 private:
  struct Slot {
    std::optional<std::string> value;  // none: deleted
    Revision revision;
  };
  Revision revision_of(const std::string& key) const;
  void set(const std::string& key, const std::optional<std::string>& value);
  void compact();

  const size_t deletions_;
  std::mutex mutex_;
  std::map<std::string, Slot, std::less<>> slots_;
  std::multimap<uint64_t, std::string> by_revision_;
  size_t deleted_ = 0;
  Revision revision_;
  Revision horizon_;
  Subscribers<Revision> subscribers_;
};

}  // namespace freehold::store
