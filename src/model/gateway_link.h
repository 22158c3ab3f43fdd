// What the gateway and the agent tell each other over the agent's unix socket: one JSON text per message, descriptors
// beside it. The gateway dials.
//
//   gateway -> agent  hello      first: what it serves already and the listeners that it holds, with their descriptors,
//                                so that an agent that was restarted can take them over; in parts, as below
//   agent -> gateway  listeners  all sockets to accept from; in parts, `last` marks the end. Those not named are closed
//   agent -> gateway  snapshot   what to serve
//   gateway -> agent  status     after each snapshot is served on all cores, and when a draining endpoint becomes idle
//
// Descriptors come in the order of `listeners` in the same message. An unknown type is to be ignored: a newer version.
#pragma once

#include "model/snapshot.h"

namespace freehold::model {

inline constexpr uint32_t kGatewayLinkVersion = 1;
// Unix sockets pass at most 253 descriptors with one message.
inline constexpr size_t kMostListenersPerMessage = 128;

// A listening socket: of the gateway's own addresses, or a service's stable internal one.
struct GatewayListener {
  std::string address;  // numeric, "" is every address
  uint16_t port = 0;
  std::string service;  // empty: requests are routed by host and path
  bool operator==(const GatewayListener&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewayListener>& listener) {
  v("address", listener.address);
  v("port", listener.port);
  v("service", listener.service);
}

struct GatewayHello {
  std::string type = "hello";
  uint32_t version = kGatewayLinkVersion;
  int64_t pid = 0;
  uint64_t revision = 0;                   // served now; 0 if none
  std::vector<GatewayListener> listeners;  // held
  bool last = true;                        // false: more follow in another hello
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewayHello>& hello) {
  v("type", hello.type);
  v("version", hello.version);
  v("pid", hello.pid);
  v("revision", hello.revision);
  v("listeners", hello.listeners);
  v("last", hello.last);
}

struct GatewayListeners {
  std::string type = "listeners";
  uint32_t version = kGatewayLinkVersion;
  std::vector<GatewayListener> listeners;
  bool last = true;  // false: more follow in the next message
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewayListeners>& message) {
  v("type", message.type);
  v("version", message.version);
  v("listeners", message.listeners);
  v("last", message.last);
}

struct GatewaySnapshotMessage {
  std::string type = "snapshot";
  uint32_t version = kGatewayLinkVersion;
  GatewaySnapshot snapshot;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewaySnapshotMessage>& message) {
  v("type", message.type);
  v("version", message.version);
  v("snapshot", message.snapshot);
}

struct GatewayStatusMessage {
  std::string type = "status";
  uint32_t version = kGatewayLinkVersion;
  GatewayStatus status;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewayStatusMessage>& message) {
  v("type", message.type);
  v("version", message.version);
  v("status", message.status);
}

}  // namespace freehold::model
