#include "store/sqlite_store.h"

#include <fmt/core.h>

#include <array>
#include <mutex>

#include "store/sqlite.h"

namespace freehold::store {
namespace {

// A deleted key stays as a row without value until it is compacted away. `horizon` is the newest revision of a deletion
// that was forgotten: whoever knows less than that may have missed it.
constexpr std::array<std::string_view, 1> kSteps = {R"sql(
  CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL, horizon INTEGER NOT NULL);
  INSERT INTO state VALUES (1, 0, 0);
  CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL, value BLOB, revision INTEGER NOT NULL);
  CREATE INDEX entries_by_revision ON entries (revision);
  CREATE INDEX deletions_by_revision ON entries (revision) WHERE value IS NULL;
)sql"};

// Keys are ASCII, so this is above them all.
std::string end_of(std::string_view prefix) { return prefix.empty() ? "\xff" : after_prefix(prefix); }

struct Statements {
  Statement state;
  Statement set_revision;
  Statement set_horizon;
  Statement get;
  Statement list;
  Statement put;
  Statement remove;
  Statement count_deletions;
  Statement find_horizon;
  Statement forget;
  Statement changes;
};

Result<std::unique_ptr<Statements>> prepare(Database& database) {
  FH_ASSIGN(Statement state, database.prepare("SELECT revision, horizon FROM state"));
  FH_ASSIGN(Statement set_revision, database.prepare("UPDATE state SET revision = ?"));
  FH_ASSIGN(Statement set_horizon, database.prepare("UPDATE state SET horizon = ?"));
  FH_ASSIGN(Statement get, database.prepare("SELECT revision, value FROM entries WHERE key = ? AND value IS NOT NULL"));
  FH_ASSIGN(Statement list, database.prepare("SELECT key, revision, value FROM entries WHERE key >= ? AND key < ? AND "
                                             "value IS NOT NULL ORDER BY key"));
  FH_ASSIGN(Statement put,
            database.prepare("INSERT INTO entries (key, value, revision) VALUES (?1, ?2, ?3) ON CONFLICT "
                             "(key) DO UPDATE SET value = ?2, revision = ?3"));
  FH_ASSIGN(Statement remove, database.prepare("UPDATE entries SET value = NULL, revision = ?2 WHERE key = ?1 AND "
                                               "value IS NOT NULL"));
  FH_ASSIGN(Statement count, database.prepare("SELECT count(*) FROM entries WHERE value IS NULL"));
  FH_ASSIGN(Statement find_horizon, database.prepare("SELECT revision FROM entries WHERE value IS NULL ORDER BY "
                                                     "revision LIMIT 1 OFFSET ?"));
  FH_ASSIGN(Statement forget, database.prepare("DELETE FROM entries WHERE value IS NULL AND revision <= ?"));
  FH_ASSIGN(Statement changes, database.prepare("SELECT key, revision, value FROM entries WHERE revision > ? AND "
                                                "key >= ? AND key < ? ORDER BY revision"));
  return std::make_unique<Statements>(Statements{std::move(state), std::move(set_revision), std::move(set_horizon),
                                                 std::move(get), std::move(list), std::move(put), std::move(remove),
                                                 std::move(count), std::move(find_horizon), std::move(forget),
                                                 std::move(changes)});
}

// An open read would keep the WAL from being cut back, so no way out of a function may forget to end it.
class Ended {
 public:
  explicit Ended(Statement& statement) : statement_(statement) {}
  Ended(const Ended&) = delete;
  ~Ended() { statement_.reset(); }

 private:
  Statement& statement_;
};

class SqliteStore : public Store {
 public:
  SqliteStore(std::unique_ptr<Database> database, std::unique_ptr<Statements> statements, size_t deletions)
      : database_(std::move(database)), statements_(std::move(statements)), deletions_(deletions) {}

  Result<Revision> revision() override;
  Result<Entry> get(std::string_view key) override;
  Result<Page> list(std::string_view prefix, size_t limit, std::string_view after) override;
  Result<Revision> commit(const Write& write) override;
  Result<Changes> changes(std::string_view prefix, Revision after, size_t limit) override;
  Subscription on_commit(std::function<void(Revision)> callback) override {
    return subscribers_.add(std::move(callback));
  }

 private:
  struct State {
    Revision revision;
    Revision horizon;
  };
  Result<State> state();
  Result<void> check(const Write::Condition& condition);
  Result<void> apply(const Write::Operation& operation, Revision revision);
  Result<void> compact();
  Result<Revision> commit_locked(const Write& write);

  std::mutex mutex_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Statements> statements_;
  const size_t deletions_;
  Subscribers<Revision> subscribers_;
};

Revision to_revision(int64_t number) { return Revision{static_cast<uint64_t>(number)}; }
int64_t to_number(Revision revision) { return static_cast<int64_t>(revision.value); }

Result<SqliteStore::State> SqliteStore::state() {
  Statement& statement = statements_->state;
  Ended ended(statement);
  FH_TRY(statement.bind());
  FH_ASSIGN(bool row, statement.step());
  if (!row) return Error(ErrorCode::kCorrupt, fmt::format("{} has lost its revision", database_->path()));
  return State{to_revision(statement.integer(0)), to_revision(statement.integer(1))};
}

Result<Revision> SqliteStore::revision() {
  std::lock_guard lock(mutex_);
  FH_ASSIGN(State now, state());
  return now.revision;
}

Result<Entry> SqliteStore::get(std::string_view key) {
  std::lock_guard lock(mutex_);
  Statement& statement = statements_->get;
  Ended ended(statement);
  FH_TRY(statement.bind(key));
  FH_ASSIGN(bool row, statement.step());
  if (!row) return Error(ErrorCode::kNotFound, fmt::format("there is no '{}'", key));
  return Entry{std::string(key), statement.bytes(1), to_revision(statement.integer(0))};
}

Result<Page> SqliteStore::list(std::string_view prefix, size_t limit, std::string_view after) {
  std::lock_guard lock(mutex_);
  FH_ASSIGN(Transaction reading, Transaction::begin_read(*database_));
  FH_ASSIGN(State now, state());
  Page page{.revision = now.revision};
  // The least key greater than `after` is `after` with a zero byte behind it.
  std::string from = after < prefix ? std::string(prefix) : std::string(after) + '\0';
  Statement& statement = statements_->list;
  Ended ended(statement);
  FH_TRY(statement.bind(from, end_of(prefix)));
  for (;;) {
    FH_ASSIGN(bool row, statement.step());
    if (!row) return page;
    if (page.entries.size() == limit) {
      page.more = true;
      return page;
    }
    page.entries.push_back({statement.bytes(0), statement.bytes(2), to_revision(statement.integer(1))});
  }
}

Result<void> SqliteStore::check(const Write::Condition& condition) {
  Statement& statement = statements_->get;
  Ended ended(statement);
  FH_TRY(statement.bind(condition.key));
  FH_ASSIGN(bool row, statement.step());
  Revision found = row ? to_revision(statement.integer(0)) : kAbsent;
  if (found != condition.revision) return condition_failed(condition, found);
  return {};
}

Result<void> SqliteStore::apply(const Write::Operation& operation, Revision revision) {
  if (!operation.value) return statements_->remove.run(operation.key, to_number(revision));
  return statements_->put.run(operation.key, *operation.value, to_number(revision));
}

Result<void> SqliteStore::compact() {
  int64_t deleted = 0;
  {
    Ended ended(statements_->count_deletions);
    FH_TRY(statements_->count_deletions.bind());
    FH_ASSIGN(bool row, statements_->count_deletions.step());
    if (row) deleted = statements_->count_deletions.integer(0);
  }
  int64_t excess = deleted - static_cast<int64_t>(deletions_);
  if (excess <= 0) return {};
  int64_t horizon = 0;
  {
    Ended ended(statements_->find_horizon);
    FH_TRY(statements_->find_horizon.bind(excess - 1));
    FH_ASSIGN(bool row, statements_->find_horizon.step());
    if (row) horizon = statements_->find_horizon.integer(0);
  }
  FH_TRY(statements_->forget.run(horizon));
  return statements_->set_horizon.run(horizon);
}

Result<Revision> SqliteStore::commit_locked(const Write& write) {
  std::lock_guard lock(mutex_);
  FH_ASSIGN(Transaction transaction, Transaction::begin(*database_));
  for (const auto& condition : write.conditions()) FH_TRY(check(condition));
  FH_ASSIGN(State now, state());
  if (write.operations().empty()) return now.revision;
  Revision next{now.revision.value + 1};
  FH_TRY(statements_->set_revision.run(to_number(next)));
  bool deletes = false;
  for (const auto& operation : write.operations()) {
    FH_TRY(apply(operation, next));
    deletes |= !operation.value;
  }
  if (deletes) FH_TRY(compact());
  FH_TRY(transaction.commit());
  return next;
}

Result<Revision> SqliteStore::commit(const Write& write) {
  FH_TRY(check_write(write));
  FH_ASSIGN(Revision committed, commit_locked(write));
  if (!write.operations().empty()) subscribers_.notify(committed);
  return committed;
}

Result<Changes> SqliteStore::changes(std::string_view prefix, Revision after, size_t limit) {
  std::lock_guard lock(mutex_);
  FH_ASSIGN(Transaction reading, Transaction::begin_read(*database_));
  FH_ASSIGN(State now, state());
  if (after < now.horizon || after > now.revision) return behind_horizon(after, now.horizon);
  Changes result{.through = now.revision};
  Statement& statement = statements_->changes;
  Ended ended(statement);
  FH_TRY(statement.bind(to_number(after), prefix, end_of(prefix)));
  for (;;) {
    FH_ASSIGN(bool row, statement.step());
    if (!row) return result;
    Revision revision = to_revision(statement.integer(1));
    if (!result.changes.empty() && result.changes.size() >= limit && revision != result.changes.back().revision) {
      result.through = result.changes.back().revision;
      result.more = true;
      return result;
    }
    std::optional<std::string> value;
    if (!statement.is_null(2)) value = statement.bytes(2);
    result.changes.push_back({statement.bytes(0), std::move(value), revision});
  }
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(os::Disk& disk, const std::string& path,
                                                 const SqliteStoreOptions& options) {
  FH_ASSIGN(std::unique_ptr<Database> database, Database::open(disk, path,
                                                               {.schema = {.name = "store", .steps = kSteps},
                                                                .access = options.access,
                                                                .most_wal = options.most_wal,
                                                                .busy_timeout = options.busy_timeout,
                                                                .most_pages = options.most_pages}));
  FH_ASSIGN(std::unique_ptr<Statements> statements, prepare(*database));
  return std::unique_ptr<Store>(
      std::make_unique<SqliteStore>(std::move(database), std::move(statements), options.deletions));
}

}  // namespace freehold::store
