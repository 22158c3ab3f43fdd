#include "store/sqlite.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <array>

namespace freehold::store {
namespace {

using testing::HasSubstr;

constexpr std::array<std::string_view, 2> kSteps = {"CREATE TABLE t (a BLOB, b INTEGER)",
                                                    "ALTER TABLE t ADD COLUMN c BLOB"};

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    char name[] = "/tmp/freehold-sqlite-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/test.db";
  }
  ~DatabaseTest() override { (void)disk_.remove_tree(folder_).ok(); }
  Result<std::unique_ptr<Database>> open(size_t steps = kSteps.size(), uint64_t most_pages = 0) {
    return Database::open(disk_, path_,
                          {.schema = {.name = "test", .steps = std::span(kSteps).first(steps)},
                           .busy_timeout = std::chrono::milliseconds(1),
                           .most_pages = most_pages});
  }

  os::Disk& disk_ = os::system_disk();
  std::string folder_;
  std::string path_;
};

TEST_F(DatabaseTest, IsReadableByItsOwnerAlone) {
  auto database = open();
  ASSERT_TRUE(database.ok()) << database.error().message();
  ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES (1, 2, 3)").ok());
  for (const char* end : {"", "-wal", "-shm"}) EXPECT_EQ(disk_.info(path_ + end)->mode, 0600u) << end;
}

TEST_F(DatabaseTest, SurvivesPowerCutsByItsSettings) {
  auto database = open();
  EXPECT_EQ(*(*database)->query_integer("PRAGMA synchronous"), 2) << "FULL";
  auto mode = (*database)->prepare("PRAGMA journal_mode");
  ASSERT_TRUE(*mode->step());
  EXPECT_EQ(mode->bytes(0), "wal");
}

TEST_F(DatabaseTest, BringsAnOlderSchemaUpAndKeepsItsRows) {
  {
    auto database = open(1);
    ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES ('x', 1)").ok());
  }
  auto database = open(2);
  ASSERT_TRUE(database.ok()) << database.error().message();
  EXPECT_EQ(*(*database)->query_integer("SELECT count(*) FROM t WHERE c IS NULL"), 1);
}

TEST_F(DatabaseTest, KeepsTheFileAsItWasBeforeItBringsItUp) {
  {
    auto database = open(1);
    ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES ('x', 1)").ok());
  }
  EXPECT_FALSE(disk_.exists(path_ + ".version-0")) << "there was nothing to keep";
  ASSERT_TRUE(open(2).ok());
  std::string kept = path_ + ".version-1";
  EXPECT_EQ(disk_.info(kept)->mode, 0600u);
  ASSERT_TRUE(disk_.remove(path_).ok());
  ASSERT_TRUE(disk_.rename(kept, path_).ok());
  auto database = open(1);
  ASSERT_TRUE(database.ok()) << database.error().message();
  EXPECT_EQ(*(*database)->query_integer("SELECT count(*) FROM t WHERE a = 'x'"), 1);
  database = open(1);
  EXPECT_FALSE(disk_.exists(kept)) << "nothing was to be changed";
}

TEST_F(DatabaseTest, ChangesNothingWhereTheFileCannotBeKept) {
  ASSERT_TRUE(open(1).ok());
  // In the way of the copy, as a full disk would be.
  ASSERT_TRUE(disk_.make_directories(path_ + ".version-1", 0700).ok());
  auto refused = open(2);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("left as it was"));
  EXPECT_TRUE(open(1).ok());
  EXPECT_FALSE(disk_.exists(path_ + ".version-1.new"));
}

TEST_F(DatabaseTest, IsCopiedWhileItIsWritten) {
  auto database = open();
  ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES (1, 2, 3)").ok());
  auto reader = Database::open(disk_, path_, {.schema = {.name = "test", .steps = kSteps}, .access = Access::kRead});
  auto transaction = Transaction::begin(**database);
  ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES (4, 5, 6)").ok());
  std::string copy = folder_ + "/it's a copy";
  auto copied = (*reader)->copy_to(disk_, copy);
  ASSERT_TRUE(copied.ok()) << copied.error().message();
  path_ = copy;
  EXPECT_EQ(*(*open())->query_integer("SELECT count(*) FROM t"), 1) << "what was committed, and no more";
}

TEST_F(DatabaseTest, RefusesTheSchemaOfANewerFreehold) {
  ASSERT_TRUE(open(2).ok());
  auto older = open(1);
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(older.error().message(), HasSubstr("newer Freehold (version 2 of its 'test' tables"));
  EXPECT_TRUE(open(2).ok()) << "and leaves it as it was";
}

TEST_F(DatabaseTest, RollsBackWhatWasNotCommitted) {
  auto database = open();
  {
    auto transaction = Transaction::begin(**database);
    ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES (1, 2, 3)").ok());
  }
  EXPECT_EQ(*(*database)->query_integer("SELECT count(*) FROM t"), 0);
}

TEST_F(DatabaseTest, SaysWhenAnotherProcessWrites) {
  auto first = open();
  auto second = open();
  auto holding = Transaction::begin(**first);
  auto refused = Transaction::begin(**second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr(path_));
}

TEST_F(DatabaseTest, SaysWhatToDoWithADamagedFile) {
  {
    auto database = open();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES (randomblob(1000), 2, 3)").ok());
    }
  }
  auto bytes = disk_.read(path_, Bytes{10 << 20});
  for (size_t i = 8192; i < bytes->size(); i += 100) (*bytes)[i] = static_cast<char>(i);
  ASSERT_TRUE(disk_.write_durably(path_, *bytes, 0600).ok());
  auto database = open();
  ASSERT_FALSE(database.ok());
  EXPECT_EQ(database.error().code(), ErrorCode::kCorrupt) << database.error().message();
  EXPECT_THAT(database.error().message(), HasSubstr("put a backup in its place"));
}

TEST_F(DatabaseTest, RefusesAFileThatIsNoDatabase) {
  ASSERT_TRUE(disk_.write_durably(path_, std::string(5000, 'x'), 0600).ok());
  EXPECT_EQ(open().error().code(), ErrorCode::kCorrupt);
}

TEST_F(DatabaseTest, NamesAFolderThatIsMissing) {
  path_ = folder_ + "/missing/test.db";
  auto database = open();
  EXPECT_EQ(database.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(database.error().message(), HasSubstr(path_));
}

TEST_F(DatabaseTest, KeepsTheLogOfWritesBounded) {
  auto database = open();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE((*database)->execute("INSERT INTO t VALUES (randomblob(400000), 2, 3)").ok());
    ASSERT_TRUE((*database)->execute("DELETE FROM t").ok());
    ASSERT_LE(disk_.info(path_ + "-wal")->size, 16u << 20);
  }
}

TEST_F(DatabaseTest, BindsEveryKindOfValue) {
  auto database = open();
  auto insert = (*database)->prepare("INSERT INTO t VALUES (?, ?, ?)");
  ASSERT_TRUE(insert->run(std::string_view("a\0b", 3), INT64_MIN, nullptr).ok());
  ASSERT_TRUE(insert->run(std::string_view(), int64_t{0}, "").ok());
  auto read = (*database)->prepare("SELECT a, b, c FROM t ORDER BY b");
  ASSERT_TRUE(*read->step());
  EXPECT_EQ(read->bytes(0), std::string("a\0b", 3));
  EXPECT_EQ(read->integer(1), INT64_MIN);
  EXPECT_TRUE(read->is_null(2));
  ASSERT_TRUE(*read->step());
  EXPECT_FALSE(read->is_null(0)) << "empty is not the same as none";
}

}  // namespace
}  // namespace freehold::store
