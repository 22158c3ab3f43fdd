// What every engine behind Store has to pass. A new engine's test adds one line and links conformance_test.cc:
//
//   INSTANTIATE_TEST_SUITE_P(Postgres, StoreConformance, testing::Values(Engine{"postgres", make_postgres}));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "store/store.h"

namespace freehold::store {

struct Engine {
  std::string name;
  // An empty store that remembers `deletions` deleted keys, and whatever it needs for its lifetime.
  std::function<std::shared_ptr<Store>(size_t deletions)> make;
};
inline std::ostream& operator<<(std::ostream& out, const Engine& engine) { return out << engine.name; }

class StoreConformance : public testing::TestWithParam<Engine> {
 protected:
  static constexpr size_t kDeletions = 8;

  void SetUp() override { store_ = GetParam().make(kDeletions); }
  Store& store() { return *store_; }
  // Commits a write that must succeed.
  Revision commit(const Write& write) {
    auto revision = store().commit(write);
    EXPECT_TRUE(revision.ok()) << (revision ? "" : revision.error().message());
    return revision ? *revision : Revision{};
  }
  Revision put(const std::string& key, const std::string& value) { return commit(Write().put(key, value)); }
  Revision remove(const std::string& key) { return commit(Write().remove(key)); }

 private:
  std::shared_ptr<Store> store_;
};

}  // namespace freehold::store
