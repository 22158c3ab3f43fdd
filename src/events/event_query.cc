#include "events/event_query.h"

#include <algorithm>

namespace freehold::events {
namespace {

int64_t nanoseconds(WallTime time) { return time.time_since_epoch().count(); }

Result<Event> to_event(const store::Statement& row) {
  Event event{.id = EventId{static_cast<uint64_t>(row.integer(0))},
              .time = WallTime(Duration(row.integer(1))),
              .kind = row.bytes(2),
              .subject = row.bytes(3),
              .cause = row.bytes(4),
              .actor = row.bytes(5),
              .message = row.bytes(6)};
  if (!row.is_null(7)) {
    FH_ASSIGN(event.detail, codec::Json::parse(row.bytes(7)));
  }
  return event;
}

}  // namespace

Result<std::vector<Event>> find_events(store::Database& database, const EventQuery& query, size_t limit) {
  // A part that is not asked for is given as empty, and every row matches it. The instances of a service are between
  // "web." and "web/", the next byte.
  FH_ASSIGN(
      store::Statement statement,
      database.prepare(fmt::format(
          "SELECT id, time, kind, subject, cause, actor, message, detail FROM events WHERE id > ?1 AND time >= ?2 "
          "AND (?3 = x'' OR subject = ?3 OR (subject > ?4 AND subject < ?5)) "
          "AND (?6 = x'' OR (kind >= ?6 AND kind < ?7)) ORDER BY id {} LIMIT ?8",
          query.order == Order::kNewest ? "DESC" : "ASC")));
  // Kinds are ASCII, so this is greater than all that begin with the prefix.
  FH_TRY(statement.bind(static_cast<int64_t>(query.after.value), query.since ? nanoseconds(*query.since) : INT64_MIN,
                        query.subject, query.subject + ".", query.subject + "/", query.kind, query.kind + "\xff",
                        static_cast<int64_t>(limit)));
  std::vector<Event> events;
  for (;;) {
    FH_ASSIGN(bool row, statement.step());
    if (!row) break;
    FH_ASSIGN(Event event, to_event(statement));
    events.push_back(std::move(event));
  }
  if (query.order == Order::kNewest) std::ranges::reverse(events);
  return events;
}

}  // namespace freehold::events
