// The parts of make_plan that look at one section each. Internal to plan*.cc.
#pragma once

#include <set>
#include <unordered_map>

#include "control/plan.h"

namespace freehold::control {

// What the node reports of one service.
struct Tally {
  uint32_t up = 0;                                      // of the wanted version, healthy and serving
  uint32_t of_version = 0;                              // of the wanted version, not on its way out
  uint32_t other_versions = 0;                          // of another version, not on its way out
  std::vector<const model::ObservedInstance*> failing;  // a few of them, as examples
};
struct Tallies {
  std::unordered_map<std::string_view, Tally> services;
  std::set<std::string> strangers;  // services with instances that `composed` does not know
};

// One pass over all instances, measured against the fingerprints of `composed`.
Tallies tally(const Composed& composed, const model::NodeObserved& observed);

std::vector<RouteChange> route_changes(const Composed* before, const Composed& after);
std::vector<KeyChange> gateway_changes(const Composed* before, const Composed& after);
std::vector<KeyChange> keep_changes(const Composed* before, const Composed& after);
std::vector<SecretChange> secret_changes(const Composed* before, const Composed& after);
std::vector<Departure> departures(const Composed& desired, const Composed* current, const model::NodeObserved* observed,
                                  const Tallies& tallies, const Overrides& overrides);

}  // namespace freehold::control
