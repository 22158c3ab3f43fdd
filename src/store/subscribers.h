// Subscribers<T...>: callbacks that are called until the Subscription that add() gave is destroyed.
//
// Thread safe. A callback runs in the thread that notifies, without a lock of the owner, and may subscribe or
// unsubscribe others; it should only note that something happened and return. Destroying a Subscription waits for a
// call of its own callback that is running in another thread, so what it captured may go right after.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace freehold::store {

class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> end) : end_(std::move(end)) {}
  Subscription(Subscription&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      reset();
      end_ = std::exchange(other.end_, nullptr);
    }
    return *this;
  }
  ~Subscription() { reset(); }
  void reset() {
    if (auto end = std::exchange(end_, nullptr)) end();
  }

 private:
  std::function<void()> end_;
};

template <class... Arguments>
class Subscribers {
 public:
  using Callback = std::function<void(Arguments...)>;

  Subscription add(Callback callback) {
    auto entry = std::make_shared<Entry>();
    entry->callback = std::move(callback);
    std::lock_guard lock(state_->mutex);
    uint64_t number = ++state_->last;
    state_->entries.emplace(number, entry);
    // The state is shared, so that a Subscription may outlive the one that it subscribed to.
    return Subscription([state = state_, entry, number] {
      {
        std::lock_guard removal(state->mutex);
        state->entries.erase(number);
      }
      std::lock_guard running(entry->mutex);
      entry->callback = nullptr;
    });
  }

  void notify(Arguments... arguments) {
    std::vector<std::shared_ptr<Entry>> now;
    {
      std::lock_guard lock(state_->mutex);
      for (const auto& [number, entry] : state_->entries) now.push_back(entry);
    }
    for (const auto& entry : now) {
      std::lock_guard running(entry->mutex);
      // Called through a copy: the callback may end its own subscription.
      if (Callback callback = entry->callback) callback(arguments...);
    }
  }

 private:
  struct Entry {
    std::recursive_mutex mutex;
    Callback callback;
  };
  struct State {
    std::mutex mutex;
    uint64_t last = 0;
    std::map<uint64_t, std::shared_ptr<Entry>> entries;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace freehold::store
