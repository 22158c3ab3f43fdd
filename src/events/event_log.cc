#include "events/event_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>

#include "base/log.h"
#include "events/event_query.h"
#include "store/sqlite.h"

namespace freehold::events {
namespace {

using store::Database;
using store::Statement;
using store::Transaction;

constexpr std::array<std::string_view, 1> kSteps = {R"sql(
  CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), next INTEGER NOT NULL);
  INSERT INTO state VALUES (1, 1);
  CREATE TABLE events (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind BLOB NOT NULL, subject BLOB NOT NULL,
                       cause BLOB NOT NULL, actor BLOB NOT NULL, message BLOB NOT NULL, detail BLOB,
                       size INTEGER NOT NULL);
  CREATE INDEX events_by_subject ON events (subject, id);
  CREATE TABLE sources (source BLOB PRIMARY KEY NOT NULL, sequence INTEGER NOT NULL, used INTEGER NOT NULL);
)sql"};

// How many ids are set apart at once in the file of ids: one durable write for so many events.
constexpr uint64_t kIdBlock = 10'000;

struct Row {
  Event event;
  std::string detail;  // as text
  int64_t size = 0;
};

class SqliteEventLog : public EventLog {
 public:
  SqliteEventLog(os::Disk& disk, const os::Clock& clock, std::string path, Options options)
      : disk_(disk), clock_(clock), path_(std::move(path)), options_(options) {}

  Result<void> open();
  Result<void> keep(const Options& options) override;
  Result<std::vector<EventId>> append(std::span<const Event> events) override;
  Result<uint64_t> append_from(std::string_view source, std::span<const SourceEvent> events) override;
  Result<EventPage> query(const EventQuery& query) override;
  Result<EventId> newest() override {
    std::lock_guard lock(mutex_);
    return EventId{next_ - 1};
  }
  store::Subscription subscribe(Subscriber subscriber) override { return subscribers_.add(std::move(subscriber)); }

 private:
  Result<void> open_database();
  Result<void> set_aside();
  Result<void> read_reserved();
  Result<void> load();
  Result<void> reserve(uint64_t up_to);
  // Under the lock: stores the events, and gives them back as they are stored. `also` runs in the same transaction.
  Result<std::vector<Event>> store(std::vector<Event> events, const std::function<Result<void>()>& also);
  Result<void> insert(const Row& row);
  Result<void> prune(uint64_t& count, uint64_t& bytes);
  Result<uint64_t> stored_sequence(std::string_view source);
  Result<void> note_sequence(std::string_view source, uint64_t sequence);

  os::Disk& disk_;
  const os::Clock& clock_;
  const std::string path_;
  Options options_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Statement> insert_;
  uint64_t next_ = 1;      // the id of the next event
  uint64_t reserved_ = 0;  // ids below this may have been given
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
  WallTime next_expiry_{};  // when it is seen again whether the oldest are too old
  store::Subscribers<std::span<const Event>> subscribers_;
};

Result<void> SqliteEventLog::open() {
  FH_TRY(read_reserved());
  Result<void> opened = open_database();
  if (opened || opened.error().code() != ErrorCode::kCorrupt) return opened;
  FH_TRY(set_aside());
  FH_TRY(open_database());
  FH_TRY(append_one({.kind = "events.damaged",
                     .subject = "events",
                     .cause = opened.error().message(),
                     .actor = "freehold",
                     .message = fmt::format("the event log was damaged; what was left is in {}.damaged", path_)}));
  return {};
}

Result<void> SqliteEventLog::open_database() {
  insert_.reset();
  database_.reset();
  FH_ASSIGN(database_, Database::open(disk_, path_, {.schema = {.name = "events", .steps = kSteps}}));
  FH_ASSIGN(Statement insert, database_->prepare("INSERT INTO events (id, time, kind, subject, cause, actor, message, "
                                                 "detail, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert_ = std::make_unique<Statement>(std::move(insert));
  return load();
}

Result<void> SqliteEventLog::set_aside() {
  insert_.reset();
  database_.reset();
  for (const char* end : {"", "-wal", "-shm"}) {
    if (!disk_.exists(path_ + end)) continue;
    // The one before, if any, is given up: a disk that keeps damaging files must not be filled with them.
    FH_TRY(disk_.rename(path_ + end, path_ + ".damaged" + end));
  }
  return disk_.sync_directory(os::parent_path(path_));
}

Result<void> SqliteEventLog::read_reserved() {
  auto text = disk_.read(path_ + ".ids", Bytes{64});
  if (!text) return text.error().code() == ErrorCode::kNotFound ? Result<void>() : text.error();
  auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), reserved_);
  if (problem != std::errc() || reserved_ > INT64_MAX) {
    // The log itself knows where it stands; this file matters only when the log is lost, too.
    log_warning("events", "{}.ids is not a number; it will be written again", path_);
    reserved_ = 0;
  }
  return {};
}

Result<void> SqliteEventLog::reserve(uint64_t up_to) {
  if (up_to < reserved_) return {};
  uint64_t wanted = up_to + kIdBlock;
  FH_TRY(disk_.write_durably(path_ + ".ids", fmt::format("{}\n", wanted), 0600));
  reserved_ = wanted;
  return {};
}

Result<void> SqliteEventLog::load() {
  FH_ASSIGN(int64_t next, database_->query_integer("SELECT next FROM state"));
  FH_ASSIGN(int64_t count, database_->query_integer("SELECT count(*) FROM events"));
  FH_ASSIGN(int64_t bytes, database_->query_integer("SELECT coalesce(sum(size), 0) FROM events"));
  next_ = static_cast<uint64_t>(next);
  // A file that has given no id yet replaces one that may have given all of these.
  if (next_ == 1 && reserved_ > 1) next_ = reserved_;
  count_ = static_cast<uint64_t>(count);
  bytes_ = static_cast<uint64_t>(bytes);
  return {};
}

Result<void> SqliteEventLog::insert(const Row& row) {
  const Event& event = row.event;
  auto id = static_cast<int64_t>(event.id.value);
  int64_t time = event.time.time_since_epoch().count();
  if (event.detail.is_null()) {
    return insert_->run(id, time, event.kind, event.subject, event.cause, event.actor, event.message, nullptr,
                        row.size);
  }
  return insert_->run(id, time, event.kind, event.subject, event.cause, event.actor, event.message, row.detail,
                      row.size);
}

Result<void> SqliteEventLog::prune(uint64_t& count, uint64_t& bytes) {
  WallTime now = clock_.wall();
  bool expiring = options_.most_age && now >= next_expiry_;
  if (expiring) next_expiry_ = now + std::min<Duration>(*options_.most_age / 16, std::chrono::minutes(1));
  if (count <= options_.most_events && bytes <= options_.most_bytes.count && !expiring) return {};
  FH_ASSIGN(Statement oldest, database_->prepare("SELECT id, size, time FROM events ORDER BY id"));
  int64_t last = 0;
  // The newest stays, whatever its size and age.
  while (count > 1) {
    FH_ASSIGN(bool row, oldest.step());
    if (!row) break;
    bool expired = options_.most_age && WallTime(Duration(oldest.integer(2))) <= now - *options_.most_age;
    if (count <= options_.most_events && bytes <= options_.most_bytes.count && !expired) break;
    last = oldest.integer(0);
    --count;
    bytes -= static_cast<uint64_t>(oldest.integer(1));
  }
  oldest.reset();
  FH_ASSIGN(Statement remove, database_->prepare("DELETE FROM events WHERE id <= ?"));
  return remove.run(last);
}

Result<std::vector<Event>> SqliteEventLog::store(std::vector<Event> events, const std::function<Result<void>()>& also) {
  if (events.size() > kMostEvents) {
    return Error(ErrorCode::kExhausted, fmt::format("more than {} events at once", kMostEvents));
  }
  uint64_t next = next_;
  uint64_t count = count_ + events.size();
  uint64_t bytes = bytes_;
  FH_TRY(reserve(next + events.size()));
  FH_ASSIGN(Transaction transaction, Transaction::begin(*database_));
  for (Event& event : events) {
    FH_TRY(check_kind(event.kind));
    cut_to_limits(event);
    event.id = EventId{next++};
    if (event.time == WallTime{}) event.time = clock_.wall();
    Row row{.event = event, .detail = event.detail.is_null() ? "" : event.detail.dump()};
    row.size = static_cast<int64_t>(event.kind.size() + event.subject.size() + event.cause.size() + event.actor.size() +
                                    event.message.size() + row.detail.size() + 32);
    bytes += static_cast<uint64_t>(row.size);
    FH_TRY(insert(row));
  }
  FH_TRY(prune(count, bytes));
  FH_ASSIGN(Statement counter, database_->prepare("UPDATE state SET next = ?"));
  FH_TRY(counter.run(static_cast<int64_t>(next)));
  FH_TRY(also());
  FH_TRY(transaction.commit());
  next_ = next;
  count_ = count;
  bytes_ = bytes;
  return events;
}

Result<void> SqliteEventLog::keep(const Options& options) {
  std::lock_guard lock(mutex_);
  options_ = options;
  next_expiry_ = {};
  uint64_t count = count_;
  uint64_t bytes = bytes_;
  FH_ASSIGN(Transaction transaction, Transaction::begin(*database_));
  FH_TRY(prune(count, bytes));
  FH_TRY(transaction.commit());
  count_ = count;
  bytes_ = bytes;
  return {};
}

Result<std::vector<EventId>> SqliteEventLog::append(std::span<const Event> events) {
  std::vector<Event> stored;
  {
    std::lock_guard lock(mutex_);
    FH_ASSIGN(stored, store({events.begin(), events.end()}, [] { return Result<void>(); }));
  }
  if (!stored.empty()) subscribers_.notify(stored);
  std::vector<EventId> ids;
  for (const Event& event : stored) ids.push_back(event.id);
  return ids;
}

Result<uint64_t> SqliteEventLog::stored_sequence(std::string_view source) {
  FH_ASSIGN(Statement find, database_->prepare("SELECT sequence FROM sources WHERE source = ?"));
  FH_TRY(find.bind(source));
  FH_ASSIGN(bool row, find.step());
  return row ? static_cast<uint64_t>(find.integer(0)) : 0;
}

Result<void> SqliteEventLog::note_sequence(std::string_view source, uint64_t sequence) {
  FH_ASSIGN(Statement note, database_->prepare("INSERT OR REPLACE INTO sources (source, sequence, used) VALUES (?, ?, "
                                               "(SELECT next FROM state))"));
  FH_TRY(note.run(source, static_cast<int64_t>(sequence)));
  FH_ASSIGN(Statement forget, database_->prepare("DELETE FROM sources WHERE source NOT IN (SELECT source FROM sources "
                                                 "ORDER BY used DESC LIMIT ?)"));
  return forget.run(static_cast<int64_t>(kMostSources));
}

Result<uint64_t> SqliteEventLog::append_from(std::string_view source, std::span<const SourceEvent> events) {
  if (source.empty() || source.size() > kMostNameBytes) {
    return Error(ErrorCode::kInvalid,
                 fmt::format("a source of events needs a name of at most {} bytes", kMostNameBytes));
  }
  std::vector<Event> stored;
  uint64_t newest = 0;
  {
    std::lock_guard lock(mutex_);
    FH_ASSIGN(newest, stored_sequence(source));
    std::vector<Event> fresh;
    for (const SourceEvent& event : events) {
      if (event.sequence <= newest) continue;
      if (event.sequence > INT64_MAX) return Error(ErrorCode::kInvalid, "a sequence number of an event is too large");
      newest = event.sequence;
      fresh.push_back(event.event);
    }
    if (fresh.empty()) return newest;
    FH_ASSIGN(stored, store(std::move(fresh), [&] { return note_sequence(source, newest); }));
  }
  subscribers_.notify(stored);
  return newest;
}

Result<EventPage> SqliteEventLog::query(const EventQuery& query) {
  if (query.limit == 0 || query.limit > kMostEvents) {
    return Error(ErrorCode::kInvalid, fmt::format("the limit of a query for events is between 1 and {}", kMostEvents));
  }
  std::lock_guard lock(mutex_);
  EventPage page;
  FH_ASSIGN(page.events, find_events(*database_, query, query.limit + 1));
  page.more = page.events.size() > query.limit;
  if (page.more) page.events.erase(query.order == Order::kNewest ? page.events.begin() : page.events.end() - 1);
  FH_ASSIGN(int64_t oldest, database_->query_integer("SELECT coalesce(min(id), 0) FROM events"));
  page.oldest = EventId{static_cast<uint64_t>(oldest)};
  return page;
}

}  // namespace

Result<std::unique_ptr<EventLog>> EventLog::open(os::Disk& disk, const os::Clock& clock, const std::string& path,
                                                 const Options& options) {
  auto log = std::make_unique<SqliteEventLog>(disk, clock, path, options);
  FH_TRY(log->open());
  return std::unique_ptr<EventLog>(std::move(log));
}

}  // namespace freehold::events
