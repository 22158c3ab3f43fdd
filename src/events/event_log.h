// EventLog: the durable, bounded, ordered memory of what happened.
//
//   FH_ASSIGN(auto log, EventLog::open(disk, clock, state + "/control/events.db", {}));
//   FH_TRY(log->append_one({.kind = "apply.done", .subject = "generation 4", .actor = "ada (uid 1000)"}));
//   FH_ASSIGN(EventPage page, log->query({.kind = "apply.", .limit = 20, .order = Order::kNewest}));
//
// Ids grow by one, are never used again and never go back: not after the oldest events were removed, and not after the
// file was lost, for "<path>.ids" says durably which ids may have been given. append() returns when its events are on
// disk, all of one call or none. Events from an agent carry its own sequence numbers, so that it may send again what
// was not acknowledged.
//
// Errors: kInvalid (kind), kExhausted (disk full: nothing of the call is there), kUnavailable, kUnsupported (written by
// a newer Freehold). A damaged file is not an error: it is moved to "<path>.damaged", and the first event of the new
// one says so. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "os/clock.h"
#include "os/disk.h"
#include "store/subscribers.h"

namespace freehold::events {

enum class Order {
  kOldest,  // the first `limit` that match
  kNewest,  // the last `limit` that match; still given oldest first
};

struct EventQuery {
  EventId after{};        // only later ones; how a stream goes on
  std::string subject{};  // exact, or the service of an instance: "web" also finds "web.3"; empty: any
  std::string kind{};     // a prefix: "instance." or "apply.done"; empty: any
  std::optional<WallTime> since{};
  size_t limit = 100;  // at most kMostEvents
  Order order = Order::kOldest;
};

struct EventPage {
  std::vector<Event> events;  // by id
  bool more = false;          // there are others that match, after (kOldest) or before (kNewest) these
  EventId oldest;             // the oldest that is still kept; a stream that stood before it has missed some
};

// An event as its source numbered it.
struct SourceEvent {
  uint64_t sequence = 0;  // grows, from 1
  Event event;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, SourceEvent>& event) {
  v("sequence", event.sequence);
  v("event", event.event);
}

class EventLog {
 public:
  static constexpr size_t kMostEvents = 10'000;  // in one call, either way
  static constexpr size_t kMostSources = 256;    // whose sequences are remembered; the longest silent goes first

  struct Options {
    uint64_t most_events = 100'000;
    Bytes most_bytes{64 << 20};  // of the events' own bytes; the file is somewhat larger
    // Older ones go when the next event comes.
    std::optional<Duration> most_age{};
  };
  // Told the events of one call, with their ids, in the thread that appended. Calls of two threads may be told in
  // either order.
  using Subscriber = std::function<void(std::span<const Event>)>;

  static Result<std::unique_ptr<EventLog>> open(os::Disk& disk, const os::Clock& clock, const std::string& path,
                                                const Options& options);
  virtual ~EventLog() = default;

  // Other bounds from now on; what is beyond them goes at once. The file does not shrink, its room is used again.
  virtual Result<void> keep(const Options& options) = 0;
  // Gives the ids of the events, in order.
  virtual Result<std::vector<EventId>> append(std::span<const Event> events) = 0;
  Result<EventId> append_one(const Event& event) {
    FH_ASSIGN(std::vector<EventId> ids, append(std::span(&event, 1)));
    return ids.front();
  }
  // Appends those whose sequence is greater than what the source sent before; gives the newest sequence that is stored
  // now, which the source need not send again. `source` names one life of a sender: "agent <boot id> <start time>".
  virtual Result<uint64_t> append_from(std::string_view source, std::span<const SourceEvent> events) = 0;
  virtual Result<EventPage> query(const EventQuery& query) = 0;
  virtual Result<EventId> newest() = 0;  // zero if there never was one
  virtual store::Subscription subscribe(Subscriber subscriber) = 0;
};

}  // namespace freehold::events
