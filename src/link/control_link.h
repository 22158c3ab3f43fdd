// What control and the agent of a node tell each other. The agent dials.
//
//   agent   -> hello (Hello: role agent, boot id, revision stored)
//   control -> desired (model::NodeDesired), at once and after every change
//   agent   -> observed (model::NodeObserved), at once, after every change, and when it has stored a desired state
//   agent   -> events (EventBatch), until they are acknowledged; control -> events-taken (EventsTaken)
//   control -> finish: everything is stopped; end the gateway, control and yourself
#pragma once

#include <vector>

#include "link/message.h"
#include "model/node_event.h"

namespace freehold::link {

inline constexpr std::string_view kDesired = "desired";
inline constexpr std::string_view kObserved = "observed";
inline constexpr std::string_view kEvents = "events";
inline constexpr std::string_view kEventsTaken = "events-taken";

struct EventBatch {
  static constexpr size_t kMost = 500;
  std::vector<model::NodeEvent> events;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, EventBatch>& batch) {
  v("events", batch.events);
}

struct EventsTaken {
  uint64_t sequence = 0;  // this and all before it are durable at control
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, EventsTaken>& taken) {
  v("sequence", taken.sequence);
}

}  // namespace freehold::link
