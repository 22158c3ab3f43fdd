// Random organisations, and random changes to them: services with needs, replicas, batches, volumes with one writer,
// prepare commands and routes; jobs; versions that work and versions that do not.
#pragma once

#include "control/generation.h"
#include "control/overrides.h"
#include "os/random.h"

namespace freehold::sim {

class OrganisationMaker {
 public:
  // `percent_bad`: how many new versions misbehave.
  OrganisationMaker(os::Random& random, uint32_t percent_bad) : random_(random), percent_bad_(percent_bad) {}

  model::Organisation first();
  void change(model::Organisation& organisation);  // in one to three ways

 private:
  bool chance(uint32_t percent) { return random_.below(100) < percent; }
  model::Service service(const std::string& name);
  void new_version(model::Service& service);
  void choose_needs(model::Organisation& organisation);
  void choose_routes(model::Organisation& organisation);
  void move_shared_volume(model::Organisation& organisation);

  os::Random& random_;
  uint32_t percent_bad_;
  uint64_t versions_ = 0;
};

// An address for every service there ever was.
void give_addresses(const model::Organisation& organisation, control::Allocations& allocations);

}  // namespace freehold::sim
