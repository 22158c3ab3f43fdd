// What a node has to tell about its instances: control writes it to the event log and acknowledges the sequence number;
// until then the agent keeps it and sends it again.
#pragma once

#include "base/time.h"
#include "codec/fields.h"

namespace freehold::model {

struct NodeEvent {
  uint64_t sequence = 0;  // grows by one, for ever, per node
  WallTime time{};
  std::string kind;     // "instance.started"
  std::string subject;  // "web.3"
  std::string message;  // for a person
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, NodeEvent>& event) {
  v("sequence", event.sequence);
  v("time", event.time);
  v("kind", event.kind);
  v("subject", event.subject);
  v("message", event.message);
}

}  // namespace freehold::model
