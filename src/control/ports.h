// What control needs of other planes, declared here and wired by app: it includes none of them.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "model/instance.h"
#include "model/node_event.h"

namespace freehold::control {

// Something that control did, or that happened to it.
struct Occurrence {
  std::string kind;     // "apply.started"
  std::string subject;  // "generation 4", "web", "web.3"
  std::string message;  // for a person
  std::string actor;    // who asked for it; empty: nobody did
  codec::Json detail;   // {"rollout": 7, "generation": 4}
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Durable when it returns. The id orders all events.
  virtual Result<uint64_t> append(const Occurrence& occurrence) = 0;
  // Idempotent by sequence number; durable when it returns.
  virtual Result<void> append(const std::vector<model::NodeEvent>& events) = 0;
  virtual uint64_t last_id() const = 0;
  // From now on so much is kept; what is more goes.
  virtual Result<void> keep(const model::Keep& keep) = 0;
};

class NodePort {
 public:
  virtual ~NodePort() = default;
  // Sends what is wanted; nothing happens if no agent is connected, it gets the newest when it comes.
  virtual void want(const model::NodeDesired& desired) = 0;
  // Everything is stopped: the agent ends the gateway, control and itself.
  virtual void finish() = 0;
};

// Secrets at rest.
class SecretBox {
 public:
  virtual ~SecretBox() = default;
  virtual Result<std::string> seal(const std::string& name, const std::string& value) = 0;
  // A keyed hash: says that two values are the same and nothing else about them.
  virtual Result<std::string> hash(const std::string& name, const std::string& value) = 0;
};

}  // namespace freehold::control
