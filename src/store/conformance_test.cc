#include "store/conformance.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <map>
#include <numeric>
#include <random>
#include <thread>

#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace freehold::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> keys(const Page& page) {
  std::vector<std::string> out;
  for (const Entry& entry : page.entries) out.push_back(entry.key);
  return out;
}

TEST_P(StoreConformance, GivesBackWhatWasPutWithItsRevision) {
  Revision first = put("a", "one");
  std::string bytes("\0\xff and more\n", 12);
  Revision second = put("b/c", bytes);
  EXPECT_EQ(*store().get("a"), (Entry{"a", "one", first}));
  EXPECT_EQ(*store().get("b/c"), (Entry{"b/c", bytes, second}));
  EXPECT_EQ(store().get("b").error().code(), ErrorCode::kNotFound);
}

TEST_P(StoreConformance, KeepsAnEmptyValueApartFromNone) {
  put("a", "");
  EXPECT_EQ(store().get("a")->value, "");
  EXPECT_EQ(store().list("", 10)->entries.size(), 1u);
}

TEST_P(StoreConformance, GrowsItsRevisionByOneWithEachWrite) {
  EXPECT_EQ(*store().revision(), Revision{0});
  EXPECT_EQ(put("a", "1"), Revision{1});
  EXPECT_EQ(commit(Write().put("a", "2").put("b", "3")), Revision{2});
  EXPECT_EQ(remove("a"), Revision{3});
  EXPECT_EQ(*store().revision(), Revision{3});
  EXPECT_EQ(store().get("b")->revision, Revision{2}) << "untouched since";
}

TEST_P(StoreConformance, RefusesAWriteWhoseConditionFailsAndChangesNothing) {
  Revision first = put("a", "1");
  Revision second = put("a", "2");
  auto stale = store().commit(Write().expect("a", first).put("b", "x").put("a", "3"));
  ASSERT_FALSE(stale.ok());
  EXPECT_EQ(stale.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(stale.error().message(), testing::HasSubstr("'a'"));
  EXPECT_EQ(store().get("a")->value, "2");
  EXPECT_EQ(store().get("b").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(*store().revision(), second);
  EXPECT_TRUE(store().commit(Write().expect("a", second).put("a", "3")).ok());
}

TEST_P(StoreConformance, ComparesWithAbsence) {
  EXPECT_TRUE(store().commit(Write().expect("a", kAbsent).put("a", "1")).ok());
  EXPECT_EQ(store().commit(Write().expect("a", kAbsent).put("a", "2")).error().code(), ErrorCode::kConflict);
  Revision gone = remove("a");
  EXPECT_EQ(store().commit(Write().expect("a", gone).put("a", "2")).error().code(), ErrorCode::kConflict)
      << "a deleted key is absent, not at the revision of its deletion";
  EXPECT_TRUE(store().commit(Write().expect("a", kAbsent).put("a", "2")).ok());
}

TEST_P(StoreConformance, ChecksConditionsAloneWithoutGrowing) {
  Revision at = put("a", "1");
  EXPECT_EQ(*store().commit(Write().expect("a", at)), at);
  EXPECT_FALSE(store().commit(Write().expect("a", Revision{99})).ok());
  EXPECT_EQ(*store().revision(), at);
}

TEST_P(StoreConformance, ListsByPrefixInPages) {
  for (const char* key : {"s/a", "s/b", "s/b/x", "s/c", "sx", "r"}) put(key, "");
  remove("s/c");
  EXPECT_THAT(keys(*store().list("s/", 10)), ElementsAre("s/a", "s/b", "s/b/x"));
  auto first = store().list("s/", 2);
  EXPECT_THAT(keys(*first), ElementsAre("s/a", "s/b"));
  EXPECT_TRUE(first->more);
  auto second = store().list("s/", 2, "s/b");
  EXPECT_THAT(keys(*second), ElementsAre("s/b/x"));
  EXPECT_FALSE(second->more);
  EXPECT_THAT(keys(*store().list("", 10)), ElementsAre("r", "s/a", "s/b", "s/b/x", "sx"));
  EXPECT_THAT(keys(*store().list("s/", 10, "a")), ElementsAre("s/a", "s/b", "s/b/x")) << "`after` before the prefix";
  EXPECT_THAT(keys(*store().list("s/", 10, "t")), IsEmpty());
  EXPECT_EQ(store().list("", 1)->revision, Revision{7});
}

TEST_P(StoreConformance, RefusesKeysAndWritesOutOfLimits) {
  for (const char* key : {"", "/a", "a/", "a//b", "a b", "a\n", "\xc3\xa9"}) {
    EXPECT_EQ(store().commit(Write().put(key, "")).error().code(), ErrorCode::kInvalid) << key;
  }
  EXPECT_EQ(store().commit(Write().put(std::string(Store::kMostKeyBytes + 1, 'k'), "")).error().code(),
            ErrorCode::kInvalid);
  EXPECT_EQ(store().commit(Write().put("a", "1").remove("a")).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(store().commit(Write().expect("a", kAbsent).expect("a", kAbsent)).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(store().commit(Write().put("a", std::string(Store::kMostValue.count + 1, 'v'))).error().code(),
            ErrorCode::kExhausted);
  EXPECT_EQ(*store().revision(), Revision{0});
}

TEST_P(StoreConformance, TellsEachChangedKeyOnceWithItsNewestValue) {
  put("a", "1");
  put("b", "1");
  put("a", "2");
  put("c", "1");
  remove("b");
  remove("never/there");
  auto changes = store().changes("", Revision{0}, 100);
  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(changes->changes, ElementsAre(Change{"a", "2", Revision{3}}, Change{"c", "1", Revision{4}},
                                            Change{"b", std::nullopt, Revision{5}}));
  EXPECT_EQ(changes->through, Revision{6});
  EXPECT_FALSE(changes->more);
  EXPECT_THAT(store().changes("", Revision{4}, 100)->changes, ElementsAre(Change{"b", std::nullopt, Revision{5}}));
  EXPECT_THAT(store().changes("c", Revision{0}, 100)->changes, ElementsAre(Change{"c", "1", Revision{4}}));
  EXPECT_THAT(store().changes("", Revision{6}, 100)->changes, IsEmpty());
}

TEST_P(StoreConformance, NeverSplitsAWriteBetweenTwoPagesOfChanges) {
  put("z", "0");
  commit(Write().put("a", "1").put("b", "1").put("c", "1"));
  put("d", "1");
  auto first = store().changes("", Revision{1}, 2);
  EXPECT_EQ(first->changes.size(), 3u);
  EXPECT_EQ(first->through, Revision{2});
  EXPECT_TRUE(first->more);
  auto second = store().changes("", first->through, 2);
  EXPECT_THAT(second->changes, ElementsAre(Change{"d", "1", Revision{3}}));
  EXPECT_FALSE(second->more);
}

TEST_P(StoreConformance, TellsAWatcherWhoMissedForgottenDeletionsToReadAgain) {
  for (size_t i = 0; i < kDeletions + 4; ++i) put("k/" + std::to_string(i), "");
  Revision before = *store().revision();
  for (size_t i = 0; i < kDeletions + 4; ++i) remove("k/" + std::to_string(i));
  EXPECT_EQ(store().changes("", before, 100).error().code(), ErrorCode::kConflict);
  auto recent = store().changes("", Revision{store().revision()->value - 2}, 100);
  ASSERT_TRUE(recent.ok()) << "who is nearly up to date may go on";
  EXPECT_EQ(recent->changes.size(), 2u);
  EXPECT_TRUE(store().changes("", store().list("", 1)->revision, 100).ok());
}

TEST_P(StoreConformance, RefusesToTellChangesSinceTheFuture) {
  put("a", "1");
  EXPECT_EQ(store().changes("", Revision{2}, 10).error().code(), ErrorCode::kConflict);
}

TEST_P(StoreConformance, RemembersAKeyThatCameBackAsAPut) {
  put("a", "1");
  remove("a");
  put("a", "2");
  EXPECT_THAT(store().changes("", Revision{0}, 10)->changes, ElementsAre(Change{"a", "2", Revision{3}}));
}

TEST_P(StoreConformance, CallsSubscribersAfterCommitsUntilTheyLeave) {
  std::vector<uint64_t> seen;
  auto subscription = store().on_commit([&](Revision revision) {
    EXPECT_EQ(*store().revision(), revision) << "the store can be read from within";
    seen.push_back(revision.value);
  });
  put("a", "1");
  (void)store().commit(Write().expect("a", kAbsent).put("a", "2")).ok();
  (void)store().commit(Write().expect("a", Revision{1})).ok();
  put("b", "1");
  subscription.reset();
  put("c", "1");
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST_P(StoreConformance, LetsOneOfManyThreadsWinEachRound) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 25;
  std::vector<std::thread> threads;
  std::vector<int> wins(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (;;) {
        auto seen = store().get("counter");
        int number = seen ? std::stoi(seen->value) : 0;
        if (number == kRounds) return;
        Revision expected = seen ? seen->revision : kAbsent;
        auto mine = store().commit(Write().expect("counter", expected).put("counter", std::to_string(number + 1)));
        if (mine) ++wins[static_cast<size_t>(i)];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::accumulate(wins.begin(), wins.end(), 0), kRounds);
}

// A watcher that follows changes(), and reads again when told to, always ends with what list() says.
TEST_P(StoreConformance, LetsAWatcherFollowAnything) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    auto fresh = GetParam().make(kDeletions);
    std::mt19937 random(seed);
    std::map<std::string, std::string> copy;
    Revision at;
    for (int round = 0; round < 30; ++round) {
      for (uint32_t writes = random() % 12; writes > 0; --writes) {
        Write write;
        std::map<std::string, bool> used;
        for (uint32_t n = random() % 4; n > 0; --n) {
          std::string key = "k" + std::to_string(random() % 30);
          if (!used.emplace(key, true).second) continue;
          random() % 2 == 0 ? write.remove(key) : write.put(key, std::to_string(random()));
        }
        ASSERT_TRUE(fresh->commit(write).ok());
      }
      for (bool more = true; more;) {
        auto changes = fresh->changes("", at, 1 + random() % 5);
        if (changes) {
          for (const Change& change : changes->changes) {
            change.value ? void(copy[change.key] = *change.value) : void(copy.erase(change.key));
          }
          at = changes->through;
          more = changes->more;
        } else {
          ASSERT_EQ(changes.error().code(), ErrorCode::kConflict);
          auto page = fresh->list("", 1000);
          copy.clear();
          for (const Entry& entry : page->entries) copy[entry.key] = entry.value;
          at = page->revision;
        }
      }
      std::map<std::string, std::string> truth;
      auto page = fresh->list("", 1000);
      for (const Entry& entry : page->entries) truth[entry.key] = entry.value;
      ASSERT_EQ(copy, truth);
    }
  }
}

// A folder that lasts as long as the store in it.
struct SqliteInFolder {
  explicit SqliteInFolder(size_t deletions) {
    char name[] = "/tmp/freehold-store-XXXXXX";
    folder = mkdtemp(name);
    auto opened = open_sqlite_store(os::system_disk(), folder + "/state.db", {.deletions = deletions});
    if (opened) store = *std::move(opened);
  }
  ~SqliteInFolder() {
    store.reset();
    (void)os::system_disk().remove_tree(folder).ok();
  }
  std::string folder;
  std::unique_ptr<Store> store;
};

std::shared_ptr<Store> make_sqlite(size_t deletions) {
  auto made = std::make_shared<SqliteInFolder>(deletions);
  return std::shared_ptr<Store>(made, made->store.get());
}

std::string engine_name(const testing::TestParamInfo<Engine>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Engines, StoreConformance,
    testing::Values(Engine{"Memory", [](size_t deletions) { return std::make_shared<MemoryStore>(deletions); }},
                    Engine{"Sqlite", make_sqlite}),
    engine_name);

}  // namespace
}  // namespace freehold::store
