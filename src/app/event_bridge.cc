#include "app/event_bridge.h"

namespace freehold::app {

Result<uint64_t> EventBridge::append(const control::Occurrence& occurrence) {
  events::Event event;
  event.kind = occurrence.kind;
  event.subject = occurrence.subject;
  event.message = occurrence.message;
  event.actor = occurrence.actor;
  event.detail = occurrence.detail;
  FH_ASSIGN(events::EventId id, log_.append_one(event));
  return id.value;
}

Result<void> EventBridge::append(const std::vector<model::NodeEvent>& node_events) {
  std::vector<events::SourceEvent> out;
  for (const model::NodeEvent& node_event : node_events) {
    events::SourceEvent source;
    source.sequence = node_event.sequence;
    source.event.time = node_event.time;
    source.event.kind = node_event.kind;
    source.event.subject = node_event.subject;
    source.event.message = node_event.message;
    source.event.actor = "agent";
    out.push_back(std::move(source));
  }
  // One node, whose numbers never begin anew: its journal keeps them.
  FH_TRY(log_.append_from("agent", out));
  return {};
}

Result<void> EventBridge::keep(const model::Keep& keep) {
  return log_.keep({.most_events = keep.count.value_or(model::kEventCount),
                    .most_bytes = keep.size.value_or(model::kEventSize),
                    .most_age = keep.age});
}

uint64_t EventBridge::last_id() const {
  auto newest = log_.newest();
  return newest ? newest->value : 0;
}

}  // namespace freehold::app
