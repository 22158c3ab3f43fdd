// EventBridge: what control says, as events of the log. Control and events do not know each other; this does.
#pragma once

#include "control/ports.h"
#include "events/event_log.h"

namespace freehold::app {

class EventBridge : public control::EventSink {
 public:
  explicit EventBridge(events::EventLog& log) : log_(log) {}
  Result<uint64_t> append(const control::Occurrence& occurrence) override;
  Result<void> append(const std::vector<model::NodeEvent>& events) override;
  uint64_t last_id() const override;
  Result<void> keep(const model::Keep& keep) override;

 private:
  events::EventLog& log_;
};

}  // namespace freehold::app
