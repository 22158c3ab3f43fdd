// DesiredState: what control asks of the node now, with what it must remember to go on after a crash.
//
// Rollouts change it, one revision per step; node_desired() makes the message for the agent from it. It is stored
// together with the rollout in one transaction, so a crash finds both before a step or both after it. Instances are
// kept by service, and stored by service (DesiredService), so that a step costs what it touches and not what there is.
// Plain values; one thread at a time.
#pragma once

#include <set>

#include "control/compose.h"

namespace freehold::control {

// An instance as the agent is asked for it.
struct PlacedInstance {
  model::DesiredInstance instance;
  uint64_t told = 0;    // the first revision that has it as it is now wanted
  bool proven = false;  // was seen healthy and serving once
  bool operator==(const PlacedInstance&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, PlacedInstance>& placed) {
  v("instance", placed.instance);
  v("told", placed.told);
  v("proven", placed.proven);
}

struct DesiredState {
  uint64_t revision = 0;
  uint64_t generation = 0;  // the last one that a rollout ended with
  std::string organisation;
  std::map<std::string, model::Runtime> runtimes;                // by fingerprint; only those that an instance has
  std::map<std::string, model::Supervision> supervision;         // by service, or fingerprint: model::supervision_of
  std::map<std::string, std::vector<PlacedInstance>> instances;  // by service, in the order of their numbers
  std::map<std::string, uint64_t> last_numbers;                  // by service, for ever: no id is used twice
  model::Routing routing;

  // What is not stored as it is now: whoever stores it empties these.
  std::set<std::string> touched;  // services
  bool rerouted = false;
};
// Without the services and the routing, which the ledger keeps by themselves.
template <class Visitor>
void fields(Visitor& v, Of<Visitor, DesiredState>& state) {
  v("revision", state.revision);
  v("generation", state.generation);
  v("organisation", state.organisation);
}

// The part of one service, as it is stored. A service without instances is kept for its last number alone.
struct DesiredService {
  std::map<std::string, model::Runtime> runtimes;
  std::map<std::string, model::Supervision> supervision;
  std::vector<PlacedInstance> instances;
  uint64_t last_number = 0;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, DesiredService>& part) {
  v("runtimes", part.runtimes);
  v("supervision", part.supervision);
  v("instances", part.instances);
  v("last_number", part.last_number);
}
DesiredService part_of(const DesiredState& state, const std::string& service);
void add_part(DesiredState& state, const std::string& service, DesiredService part);

// The message for the agent. `sealed_secrets` is left for the caller, who has them: see secrets_needed.
model::NodeDesired node_desired(const DesiredState& state);

// The keyed hashes of all secret values that the runtimes use, sorted, each once.
std::vector<std::string> secrets_needed(const DesiredState& state);

bool is_wanted(const PlacedInstance& placed);  // kRunning or kIdle

// Forgets stopped instances that the node reports as ended, or that it knows to be unwanted and has no more. For the
// time between rollouts; a rollout does it for the services that it changes. True if something changed (a new
// revision).
bool sweep(DesiredState& state, const model::NodeObserved& observed);

// One step's changes to the state. All of them belong to one new revision, which commit() gives if there were any.
class Change {
 public:
  explicit Change(DesiredState& state) : state_(state) {}

  const DesiredState& state() const { return state_; }
  bool any() const { return any_; }
  uint64_t revision() const { return state_.revision + 1; }  // the one that these changes will have

  const PlacedInstance& place(const model::Runtime& runtime, model::Wanted wanted);
  void want(PlacedInstance& placed, model::Wanted wanted);
  void prove(PlacedInstance& placed);  // no new revision: the node need not know
  void erase(const std::string& service, const std::string& id);
  // `name`: the service itself, or the fingerprint of one of its versions.
  void supervise(const std::string& service, const std::string& name, const model::Supervision& supervision);
  void forget_service(const std::string& service);  // it has no instances any more
  void route(model::Routing routing);
  void reach(uint64_t generation, const std::string& organisation);
  // To be changed by the functions above. Good until the next place or erase.
  std::span<PlacedInstance> instances(const std::string& service);

  bool commit();

 private:
  DesiredState& state_;
  bool any_ = false;
};

// Whether the node is rid of it for good: reported as ended, or absent, by a node that has been told to stop it.
bool is_gone(const PlacedInstance& placed, const model::ObservedInstance* seen, uint64_t node_revision);

}  // namespace freehold::control
