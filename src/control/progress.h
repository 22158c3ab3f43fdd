// How far a rollout is, service by service, for whoever watches it. Pure: decides nothing, changes nothing.
#pragma once

#include <array>

#include "control/rollout.h"

namespace freehold::control {

// draining: all that is new serves.
inline constexpr std::array<std::string_view, 7> kProgressStates = {"waiting",  "preparing", "rolling", "stopping",
                                                                    "draining", "done",      "stuck"};

struct ServiceProgress {
  std::string service;
  std::string state;     // one of kProgressStates
  uint32_t wanted = 0;   // instances that it shall have; of one that leaves: 0
  uint32_t ready = 0;    // of them, those that serve
  uint32_t leaving = 0;  // instances that are still there and shall not be
  Duration spent{};      // since its turn came, while control ran
  std::string awaits;    // what the next step needs: "web.5 to be healthy"; empty when it is done
  std::string reason;    // why that has not come: "503 from /health"; empty if nothing is known against it
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ServiceProgress>& progress) {
  v("service", progress.service);
  v("state", progress.state, {.words = kProgressStates});
  v("wanted", progress.wanted, {"instances that it shall have; of one that leaves: 0"});
  v("ready", progress.ready, {"of them, those that serve"});
  v("leaving", progress.leaving, {"instances that are still there and shall not be"});
  v("spent", progress.spent, {"since its turn came"});
  v("awaits", progress.awaits, {"what the next step needs: web.5 to be healthy"});
  v("reason", progress.reason, {"why that has not come"});
}

// In the order in which their turns come. Of a rollout that has ended: as it ended.
std::vector<ServiceProgress> progress_of(const Rollout& rollout, const DesiredState& state,
                                         const model::NodeObserved& observed, Now now);

}  // namespace freehold::control
