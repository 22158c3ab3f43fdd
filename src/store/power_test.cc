// The store on a disk whose power is cut, and that is full, at every single thing that SQLite does to it.
#include <gtest/gtest.h>

#include <array>

#include "os/write_points.h"
#include "store/fault_vfs.h"
#include "store/sqlite_store.h"

namespace freehold::store {
namespace {

// Writes pairs of entries. Each write replaces, adds and removes, and the WAL is so small that checkpoints come by.
class Committing {
 public:
  explicit Committing(os::FaultDisk& disk) : disk_(disk), sqlite_(disk) {
    EXPECT_TRUE(disk.make_directories("/state", 0700).ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
  }
  ~Committing() { close(); }

  Result<void> open() {
    FH_ASSIGN(store_, open_sqlite_store(disk_, "/state/state.db", {.deletions = 2, .most_wal = Bytes{64 << 10}}));
    return {};
  }
  void close() { store_.reset(); }

  void work() {
    for (int i = 0; i < 6; ++i) {
      Write write;
      uint64_t number = ++tried_;
      write.put("left/" + name_of(number), std::to_string(number));
      write.put("right/" + name_of(number), value_of(number));
      write.put("newest", std::to_string(number));
      if (number > 3) write.remove("left/" + name_of(number - 3)).remove("right/" + name_of(number - 3));
      auto revision = store_->commit(write);
      if (!revision) {
        refusals_.push_back(revision.error());
      } else {
        acknowledged_ = number;
        revision_ = revision->value;
      }
    }
  }

  void check() {
    auto newest = store_->get("newest");
    if (!newest) {
      ASSERT_EQ(newest.error().code(), ErrorCode::kNotFound) << newest.error().message();
      ASSERT_EQ(acknowledged_, 0u) << "all is lost";
      ASSERT_TRUE(store_->list("", 100)->entries.empty());
      return;
    }
    uint64_t last = std::stoull(newest->value);
    ASSERT_GE(last, acknowledged_) << "an acknowledged write is lost";
    ASSERT_GE(store_->revision()->value, revision_);
    ASSERT_EQ(*store_->revision(), newest->revision);
    auto left = store_->list("left/", 100);
    ASSERT_TRUE(left.ok()) << left.error().message();
    auto right = store_->list("right/", 100);
    ASSERT_EQ(left->entries.size(), right->entries.size()) << "half of a write";
    ASSERT_EQ(left->entries.back().value, std::to_string(last)) << "half of a write";
    for (const Entry& entry : right->entries) {
      ASSERT_EQ(entry.value, value_of(std::stoull(entry.key.substr(6)) - 1000));
    }
  }
  const std::vector<Error>& refusals() const { return refusals_; }

 private:
  static std::string name_of(uint64_t number) { return std::to_string(1000 + number); }  // sorts as the number does
  static std::string value_of(uint64_t number) { return std::string(1 + number * 3517 % 9000, 'x'); }

  os::FaultDisk& disk_;
  FaultVfs sqlite_;
  std::unique_ptr<Store> store_;
  uint64_t tried_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t revision_ = 0;
  std::vector<Error> refusals_;
};

// A database of version 1 with something in it is brought to version 2.
class Migrating {
 public:
  explicit Migrating(os::FaultDisk& disk) : disk_(disk), sqlite_(disk) {
    EXPECT_TRUE(disk.make_directories("/state", 0700).ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
    auto old =
        Database::open(disk, std::string(kPath), {.schema = {.name = "test", .steps = std::span(kSteps).first(1)}});
    EXPECT_TRUE(old.ok());
    EXPECT_TRUE((*old)->execute("INSERT INTO numbers VALUES (1)").ok());
  }
  Result<void> open() {
    FH_ASSIGN(database_, Database::open(disk_, std::string(kPath), {.schema = {.name = "test", .steps = kSteps}}));
    return {};
  }
  void close() { database_.reset(); }
  void work() {
    auto added = database_->execute("INSERT INTO numbers SELECT max(number) + 1, 'new' FROM numbers");
    if (added) {
      ++added_;
    } else {
      refusals_.push_back(added.error());
    }
  }
  void check() {
    auto count = database_->query_integer("SELECT count(*) FROM numbers");
    ASSERT_TRUE(count.ok()) << count.error().message();
    ASSERT_GE(*count, 1 + added_);
    ASSERT_EQ(*count, *database_->query_integer("SELECT max(number) FROM numbers"));
    ASSERT_EQ(*database_->query_integer("SELECT count(*) FROM numbers WHERE note = 'old'"), 1);
  }
  const std::vector<Error>& refusals() const { return refusals_; }

 private:
  static constexpr std::string_view kPath = "/state/old.db";
  static constexpr std::array<std::string_view, 2> kSteps = {
      "CREATE TABLE numbers (number INTEGER NOT NULL)",
      "ALTER TABLE numbers ADD COLUMN note TEXT; UPDATE numbers SET note = 'old'"};

  os::FaultDisk& disk_;
  FaultVfs sqlite_;
  std::unique_ptr<Database> database_;
  int64_t added_ = 0;
  std::vector<Error> refusals_;
};

TEST(StorePower, MigratesOrDoesNotWhereverThePowerIsCut) { os::cut_power_everywhere<Migrating>(2); }
TEST(StorePower, MigratesOrDoesNotWhereverItIsKilled) { os::kill_everywhere<Migrating>(); }
TEST(StorePower, MigratesWhenThereIsRoomForIt) { os::fill_disk_everywhere<Migrating>(); }

TEST(StorePower, LosesNothingAcknowledgedWhereverThePowerIsCut) { os::cut_power_everywhere<Committing>(1); }
TEST(StorePower, LosesNothingAfterAProcessWasKilled) { os::kill_everywhere<Committing>(); }
TEST(StorePower, RefusesWhatFindsNoRoomAndGoesOnWhenThereIsSome) { os::fill_disk_everywhere<Committing>(); }

}  // namespace
}  // namespace freehold::store
