// From a query to SQL and from rows to events; internal to events.
#pragma once

#include "events/event_log.h"
#include "store/sqlite.h"

namespace freehold::events {

// The events that match, from the open database of an EventLog.
Result<std::vector<Event>> find_events(store::Database& database, const EventQuery& query, size_t limit);

}  // namespace freehold::events
