#include "store/sqlite.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>

#include <cerrno>

#include "base/log.h"

namespace freehold::store {

void Statement::Free::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

bool Statement::bind_one(int index, int64_t value) {
  return sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK;
}

bool Statement::bind_one(int index, std::string_view value) {
  // A null pointer would bind NULL; an empty value is not the same as none.
  const char* data = value.data() == nullptr ? "" : value.data();
  return sqlite3_bind_blob64(statement_.get(), index, data, value.size(), SQLITE_TRANSIENT) == SQLITE_OK;
}

bool Statement::bind_one(int index, std::nullptr_t) { return sqlite3_bind_null(statement_.get(), index) == SQLITE_OK; }

Result<bool> Statement::step() {
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = database_->failure();
  reset();
  return error;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  if (data == nullptr) return {};
  return std::string(static_cast<const char*>(data), size);
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

Error Statement::failure() const { return database_->failure(); }

Result<std::unique_ptr<Database>> Database::open(os::Disk& disk, const std::string& path,
                                                 const DatabaseOptions& options) {
  bool reads = options.access == Access::kRead;
  auto info = disk.info(path);
  if (!info && (reads || info.error().code() != ErrorCode::kNotFound)) return info.error();
  // SQLite would create it readable for everyone; the WAL takes its mode from it. Not when it is there already: closing
  // any descriptor of a file drops the locks that this process holds on it.
  if (!info) FH_TRY(disk.open_append(path, 0600));
  FH_ASSIGN(std::unique_ptr<Database> database, open_file(path, options.access));
  FH_TRY(database->configure(options));
  FH_TRY(database->check());
  if (reads) {
    FH_TRY(database->expect_newest(options.schema));
  } else {
    FH_TRY(database->set_aside(disk, options.schema));
    FH_TRY(database->migrate(options.schema));
    // SQLite syncs the entry of a WAL that it creates, and with it that of the database. Not if a process before this
    // one created it and was killed, or if a power cut left the one and took the other.
    FH_TRY(disk.sync_directory(os::parent_path(path)));
  }
  return database;
}

Result<std::unique_ptr<Database>> Database::open_file(const std::string& path, Access access) {
  sqlite3* raw = nullptr;
  int flags = (access == Access::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  std::unique_ptr<Database> database(new Database(path, raw));
  if (code != SQLITE_OK) return database->failure();
  return database;
}

Result<void> Database::configure(const DatabaseOptions& options) {
  sqlite3_extended_result_codes(handle_.get(), 1);
  auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options.busy_timeout).count();
  sqlite3_busy_timeout(handle_.get(), static_cast<int>(timeout));
  FH_TRY(execute("PRAGMA trusted_schema=OFF"));
  // A cell that does not fit what the schema says is damage, too.
  FH_TRY(execute("PRAGMA cell_size_check=ON"));
  return options.access == Access::kRead ? Result<void>() : configure_writing(options);
}

Result<void> Database::configure_writing(const DatabaseOptions& options) {
  FH_TRY(execute("PRAGMA journal_mode=WAL"));
  FH_TRY(execute("PRAGMA synchronous=FULL"));
  FH_TRY(execute(fmt::format("PRAGMA journal_size_limit={}", options.most_wal.count)));
  // A checkpoint is tried at a quarter of the bound, so that readers who delay one do not break it at once.
  FH_TRY(
      execute(fmt::format("PRAGMA wal_autocheckpoint={}", std::max<uint64_t>(1, options.most_wal.count / 4096 / 4))));
  if (options.most_pages > 0) FH_TRY(execute(fmt::format("PRAGMA max_page_count={}", options.most_pages)));
  return {};
}

Result<void> Database::check() {
  FH_ASSIGN(Statement statement, prepare("PRAGMA quick_check(1)"));
  FH_ASSIGN(bool row, statement.step());
  std::string answer = row ? statement.bytes(0) : "no answer";
  if (answer != "ok") return error_of(SQLITE_CORRUPT, answer);
  return {};
}

Result<int64_t> Database::version_of(const Schema& schema) {
  FH_ASSIGN(int64_t tables, query_integer("SELECT count(*) FROM sqlite_master WHERE name = 'schema'"));
  if (tables == 0) return 0;
  FH_ASSIGN(Statement find, prepare("SELECT version FROM schema WHERE name = ?"));
  FH_TRY(find.bind(schema.name));
  FH_ASSIGN(bool known, find.step());
  int64_t version = known ? find.integer(0) : 0;
  auto newest = static_cast<int64_t>(schema.steps.size());
  if (version > newest) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("{} was written by a newer Freehold (version {} of its '{}' tables; this one knows up to "
                             "{}): run that Freehold again; nothing was changed",
                             path_, version, schema.name, newest));
  }
  return version;
}

Result<void> Database::expect_newest(const Schema& schema) {
  FH_ASSIGN(int64_t version, version_of(schema));
  if (version == 0) return Error(ErrorCode::kNotFound, fmt::format("{} has nothing in it yet", path_));
  if (version == static_cast<int64_t>(schema.steps.size())) return {};
  return Error(ErrorCode::kUnsupported,
               fmt::format("{} was written by an older Freehold; `freehold up` brings it up to date", path_));
}

Result<void> Database::set_aside(os::Disk& disk, const Schema& schema) {
  FH_ASSIGN(int64_t version, version_of(schema));
  if (version == 0 || version == static_cast<int64_t>(schema.steps.size())) return {};
  std::string path = fmt::format("{}.version-{}", path_, version);
  auto copied = copy_to(disk, path);
  if (!copied)
    return copied.error().with_context(fmt::format("{} is left as it was, since no copy can be kept", path_));
  log_info("store", "{} is brought from version {} to {}; as it was, it is in {}", path_, version, schema.steps.size(),
           path);
  return {};
}

Result<void> Database::migrate(const Schema& schema) {
  FH_ASSIGN(Transaction transaction, Transaction::begin(*this));
  FH_TRY(execute("CREATE TABLE IF NOT EXISTS schema (name BLOB PRIMARY KEY, version INTEGER NOT NULL)"));
  FH_ASSIGN(int64_t version, version_of(schema));
  auto newest = static_cast<int64_t>(schema.steps.size());
  if (version == newest) return {};
  for (int64_t step = version; step < newest; ++step) FH_TRY(execute(schema.steps[static_cast<size_t>(step)]));
  FH_ASSIGN(Statement record, prepare("INSERT OR REPLACE INTO schema (name, version) VALUES (?, ?)"));
  FH_TRY(record.run(schema.name, newest));
  return transaction.commit();
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                &raw, nullptr);
  if (code != SQLITE_OK) return failure();
  return Statement(*this, raw);
}

Result<void> Database::execute(std::string_view sql) {
  std::string terminated(sql);
  if (sqlite3_exec(handle_.get(), terminated.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
  return {};
}

Result<int64_t> Database::query_integer(std::string_view sql) {
  FH_ASSIGN(Statement statement, prepare(sql));
  FH_ASSIGN(bool row, statement.step());
  if (!row) return Error(ErrorCode::kNotFound, fmt::format("no row in {} for: {}", path_, sql));
  return statement.integer(0);
}

int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
int64_t Database::changed_rows() const { return sqlite3_changes64(handle_.get()); }

Error Database::failure() const {
  return error_of(sqlite3_extended_errcode(handle_.get()), sqlite3_errmsg(handle_.get()));
}

Error Database::error_of(int code, std::string_view text) const {
  auto error = [&](ErrorCode meaning, std::string_view what, std::string_view advice) {
    return Error(meaning, fmt::format("{} {} ({}){}", path_, what, text, advice));
  };
  int kind = code & 0xff;
  // A journal that cannot be created and a WAL's index that cannot grow are told of as something else.
  int number = kind == SQLITE_CANTOPEN || kind == SQLITE_IOERR ? sqlite3_system_errno(handle_.get()) : 0;
  if (number == ENOSPC || number == EDQUOT) kind = SQLITE_FULL;
  switch (kind) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(ErrorCode::kUnavailable, "is being written by another process", ": try again");
    case SQLITE_FULL:
      return error(ErrorCode::kExhausted, "has no room left", ": free space on its disk; nothing was changed");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return error(ErrorCode::kCorrupt, "is damaged",
                   ": stop Freehold, move the file and its -wal and -shm aside, and put a backup in its place");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return error(ErrorCode::kDenied, "cannot be opened", ": check its owner, its mode and its file system");
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return error(ErrorCode::kExhausted, "was given too much at once", "");
    case SQLITE_IOERR:
      return error(ErrorCode::kUnavailable, "cannot be read or written", ": check the disk that it is on");
    default:
      return error(ErrorCode::kInternal, "refused a statement", "");
  }
}

Result<Transaction> Transaction::begin(Database& database) {
  // Immediate: the lock is taken here or not at all, so a transaction never fails half way for being second.
  FH_TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Result<Transaction> Transaction::begin_read(Database& database) {
  FH_TRY(database.execute("BEGIN"));
  return Transaction(database);
}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself after a failure; then this one fails, which is well.
  if (database_ != nullptr) (void)database_->execute("ROLLBACK").ok();
}

Result<void> Transaction::commit() {
  FH_TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace freehold::store
