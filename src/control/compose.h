// Compose: from a generation to what exactly each service runs as, is watched by, and how it is reached.
//
// A pure function of (generation, allocations, overrides). Each service gets a fingerprint: a hash over everything that
// an instance is started with. The same fingerprint means that running instances stay; key_rules.h has the list of keys
// and what a change of each one costs, docs/user/deploys.md the same for users. Hand in the generation composed before:
// services whose inputs are the same share its objects and are neither substituted nor hashed again, so that changing
// one line costs one service.
//
// Errors: kInvalid when a service uses a secret without a value or an address that was not given out.
// Threads: results are immutable; share them freely.
#pragma once

#include <memory>

#include "control/generation.h"
#include "control/overrides.h"
#include "model/instance.h"

namespace freehold::control {

// What a service shall be: all that a rollout must know of it.
struct ServiceSpec {
  model::Runtime runtime;
  model::Supervision supervision;
  model::Deploy deploy;
  uint32_t replicas = 1;             // with the scale override; 0 while everything is down
  bool idle = false;                 // drained: runs, but is given no requests
  std::vector<std::string> drained;  // instances drained one by one
  bool operator==(const ServiceSpec&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ServiceSpec>& spec) {
  v("runtime", spec.runtime);
  v("supervision", spec.supervision);
  v("deploy", spec.deploy);
  v("replicas", spec.replicas);
  v("idle", spec.idle);
  v("drained", spec.drained);
}

struct ComposedService {
  ServiceSpec spec;
  // What it was composed from, to tell whether that has to be done again.
  model::Service source;
  std::string release;
  uint64_t restart = 0;
  bool routed = false;                        // a route leads to it
  std::map<std::string, uint16_t> addresses;  // of the services whose address it uses
};

struct Composed {
  uint64_t generation = 0;
  std::string organisation;
  std::string timezone;
  std::map<std::string, std::shared_ptr<const ComposedService>> services;
  model::Routing routing;                      // `files` holds digests
  std::map<std::string, std::string> folders;  // digest -> the folder's name in the file
  uint64_t composed_anew = 0;                  // services that did not come from the previous one
};

Result<Composed> compose(const Generation& generation, const Allocations& allocations, const Overrides& overrides,
                         const Composed* previous = nullptr);

// 32 hex digits over everything in `runtime` but its fingerprint and generation, and over the restart number.
std::string fingerprint(const model::Runtime& runtime, uint64_t restart);

}  // namespace freehold::control
