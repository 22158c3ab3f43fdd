// A thin owner of SQLite: databases, prepared statements and transactions as Results, no SQLite type in sight.
//
//   FH_ASSIGN(Database database, Database::open(disk, path, {.schema = kSchema}));
//   FH_ASSIGN(Transaction transaction, Transaction::begin(database));
//   FH_ASSIGN(Statement insert, database.prepare("INSERT INTO t VALUES (?, ?)"));
//   FH_TRY(insert.run(key, 7));
//   FH_TRY(transaction.commit());
//
// Before a schema is changed, the file as it is goes to PATH.version-N beside it, of the same owner and mode; a log
// line names it. Where there is no room for that, nothing is changed.
//
// What open() sets: WAL, synchronous FULL (a commit that returned survives a power cut), a bounded WAL, a busy timeout.
// Errors: kUnavailable while another process writes, kExhausted when the disk is full (nothing of the transaction is
// there), kCorrupt when the file is not what was written, kUnsupported when a newer Freehold wrote it, kDenied. Each
// message names the file and what to do. One thread at a time per Database; its Statements must not outlive it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "os/disk.h"

struct sqlite3;
struct sqlite3_stmt;

namespace freehold::store {

// steps[i] brings a database of version i to version i + 1; steps are only ever added at the end.
struct Schema {
  std::string_view name;
  std::span<const std::string_view> steps;
};

// kRead: nothing is created, migrated or written. Another process may write meanwhile, or none may run at all. SQLite
// itself may leave its empty -wal and -shm beside the file.
enum class Access { kWrite, kRead };

struct DatabaseOptions {
  Schema schema;
  Access access = Access::kWrite;
  Bytes most_wal = {8 << 20};  // the WAL is cut back to this after a checkpoint
  Duration busy_timeout = std::chrono::seconds(5);
  uint64_t most_pages = 0;  // of 4 KiB; 0 is SQLite's own bound. Reached, it is as a full disk
};

class Statement {
 public:
  // Binds all parameters in order: integers, text (std::string_view: stored as bytes), nullptr. Starts afresh.
  template <class... Values>
  Result<void> bind(const Values&... values) {
    reset();
    int index = 0;
    bool bound = (bind_one(++index, values) && ...);
    return bound ? Result<void>() : failure();
  }
  // The next row: true if there is one.
  Result<bool> step();
  // bind, and run to the end.
  template <class... Values>
  Result<void> run(const Values&... values) {
    FH_TRY(bind(values...));
    for (;;) {
      FH_ASSIGN(bool row, step());
      if (!row) break;
    }
    reset();
    return {};
  }
  // Ends the read that step() began. Must not be forgotten: an open read keeps the WAL from being cut back.
  void reset();

  int64_t integer(int column) const;
  std::string bytes(int column) const;  // empty if NULL
  bool is_null(int column) const;

 private:
  friend class Database;
  struct Free {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(class Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}
  bool bind_one(int index, int64_t value);
  bool bind_one(int index, std::string_view value);
  bool bind_one(int index, std::nullptr_t);
  Error failure() const;

  class Database* database_;
  std::unique_ptr<sqlite3_stmt, Free> statement_;
};

class Database {
 public:
  // Creates the file (0600) if it is missing, checks it, and brings it to the newest schema. To read, it must be there
  // (else kNotFound) and of the newest schema (else kUnsupported). SQLite does its own file access; `disk` is asked
  // only for the file as such.
  static Result<std::unique_ptr<Database>> open(os::Disk& disk, const std::string& path,
                                                const DatabaseOptions& options);

  // All that is committed now as a file of its own, whoever reads or writes meanwhile: durable, 0600, whole or not
  // there.
  Result<void> copy_to(os::Disk& disk, const std::string& path);

  // The same of a file that others have open, whatever its schema is. kNotFound, kCorrupt, kUnavailable.
  static Result<void> copy(os::Disk& disk, const std::string& from, const std::string& to);

  Result<Statement> prepare(std::string_view sql);
  Result<void> execute(std::string_view sql);
  // The first column of the first row; kNotFound if there is no row.
  Result<int64_t> query_integer(std::string_view sql);
  int64_t last_insert_id() const;
  int64_t changed_rows() const;  // by the last INSERT, UPDATE or DELETE
  const std::string& path() const { return path_; }
  // The newest failure of this database as an Error.
  Error failure() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  Database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}
  static Result<std::unique_ptr<Database>> open_file(const std::string& path, Access access);
  Result<void> configure(const DatabaseOptions& options);
  Result<void> configure_writing(const DatabaseOptions& options);
  Result<void> check();
  // 0: there are no such tables yet. Refuses what a newer Freehold wrote.
  Result<int64_t> version_of(const Schema& schema);
  Result<void> write_copy(os::Disk& disk, const std::string& path);
  Result<void> expect_newest(const Schema& schema);
  Result<void> set_aside(os::Disk& disk, const Schema& schema);
  Result<void> migrate(const Schema& schema);
  Error error_of(int code, std::string_view text) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// Rolled back when destroyed uncommitted.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  // For several reads that must see one state; ends by being destroyed.
  static Result<Transaction> begin_read(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace freehold::store
