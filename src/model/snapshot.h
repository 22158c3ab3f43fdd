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

// gateway -> agent, after every snapshot and whenever a draining endpoint becomes idle.
struct GatewayStatus {
  uint64_t revision = 0;                      // serving this snapshot, on all cores
  std::map<std::string, uint64_t> in_flight;  // instance -> open requests and tunnels, of endpoints not accepting
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GatewayStatus>& status) {
  v("revision", status.revision);
  v("in_flight", status.in_flight);
}

}  // namespace freehold::model
