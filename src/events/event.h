// Event: one thing that happened. Everything that changes anything writes one: who, what, why.
//
// `kind` says what, in dotted lower-case parts from the general to the special, so that a prefix asks for a family:
//   instance.started instance.healthy instance.unhealthy instance.ended instance.crash-loop instance.adopted
//   apply.started apply.done apply.failed deploy.step plan scale events.damaged
// `subject` says to what: "web" is a service, "web.3" one instance of it, "generation 4" a generation.
// Never put a secret into an event.
#pragma once

#include <string>
#include <string_view>

#include "base/id.h"
#include "base/time.h"
#include "codec/fields.h"

namespace freehold::events {

using EventId = StrongId<struct EventIdTag>;

struct Event {
  EventId id{};     // given by the log
  WallTime time{};  // the epoch: the log fills in now
  std::string kind{};
  std::string subject{};
  std::string cause{};    // why, in terms of other things: "event 17", "generation 4", "signal 9"
  std::string actor{};    // who: "ada (uid 1000)", "control", "agent"
  std::string message{};  // for a person
  codec::Json detail{};   // null: none
  bool operator==(const Event&) const = default;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Event>& event) {
  v("id", event.id);
  v("time", event.time);
  v("kind", event.kind);
  v("subject", event.subject);
  v("cause", event.cause);
  v("actor", event.actor);
  v("message", event.message);
  v("detail", event.detail);
}

inline constexpr size_t kMostKindBytes = 64;
inline constexpr size_t kMostNameBytes = 256;   // subject and actor
inline constexpr size_t kMostTextBytes = 4096;  // cause and message
inline constexpr size_t kMostDetailBytes = 64 << 10;

// kInvalid if the kind is not as above.
Result<void> check_kind(std::string_view kind);
// Cut to the limits, between characters and with "..." at the end; a detail that is too large is replaced by
// {"omitted_bytes": N}. An event that is too long must still be told.
void cut_to_limits(Event& event);

}  // namespace freehold::events
