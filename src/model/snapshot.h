// What the gateway serves from: the agent sends it over their link whenever it changes, and the gateway acknowledges.
#pragma once

#include "model/instance.h"

namespace freehold::model {

struct Endpoint {
  std::string instance;
  uint16_t port = 0;      // on 127.0.0.1
  bool accepting = true;  // false: no new requests; those in flight go on (draining)
  bool operator==(const Endpoint&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Endpoint>& endpoint) {
  v("instance", endpoint.instance);
  v("port", endpoint.port);
  v("accepting", endpoint.accepting);
}

struct GatewaySnapshot {
  uint64_t revision = 0;
  Routing routing;
  std::map<std::string, std::vector<Endpoint>> endpoints;  // by service
  std::string files_root;                                  // a `files` rule is served from files_root/<digest>
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewaySnapshot>& snapshot) {
  v("revision", snapshot.revision);
  v("routing", snapshot.routing);
  v("endpoints", snapshot.endpoints);
  v("files_root", snapshot.files_root);
}

// Summed over the gateway's cores, since its start; those marked "now" rise and fall.
struct GatewayCounters {
  std::vector<uint64_t> requests = std::vector<uint64_t>(6);  // by class of status; [0]: ended without an answer
  uint64_t in_flight = 0;                                     // requests, now
  uint64_t connections = 0;                                   // of clients, now
  uint64_t accepted = 0;
  uint64_t shed = 0;     // connections and requests turned away for want of room
  uint64_t tunnels = 0;  // now
  uint64_t retries = 0;
  uint64_t upstream_connects = 0;
  uint64_t upstream_failures = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t log_dropped = 0;  // access log lines
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewayCounters>& counters) {
  v("requests", counters.requests);
  v("in_flight", counters.in_flight);
  v("connections", counters.connections);
  v("accepted", counters.accepted);
  v("shed", counters.shed);
  v("tunnels", counters.tunnels);
  v("retries", counters.retries);
  v("upstream_connects", counters.upstream_connects);
  v("upstream_failures", counters.upstream_failures);
  v("bytes_received", counters.bytes_received);
  v("bytes_sent", counters.bytes_sent);
  v("log_dropped", counters.log_dropped);
}

// gateway -> agent, after every snapshot and whenever a draining endpoint becomes idle.
struct GatewayStatus {
  uint64_t revision = 0;                      // serving this snapshot, on all cores
  std::map<std::string, uint64_t> in_flight;  // instance -> open requests and tunnels, of endpoints not accepting
  GatewayCounters counters;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewayStatus>& status) {
  v("revision", status.revision);
  v("in_flight", status.in_flight);
  v("counters", status.counters);
}

}  // namespace freehold::model
