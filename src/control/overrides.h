// What people asked for beside the file (scale, restart, drain, down), and what the platform gave out (addresses).
//
// Overrides stand until the file says otherwise: see carried_overrides. Values only, kept by the store as JSON.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "model/organisation.h"

namespace freehold::control {

using codec::Of;

struct ScaleOverride {
  uint32_t replicas = 0;
  std::string who;
  WallTime when{};
  bool operator==(const ScaleOverride&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ScaleOverride>& scale) {
  v("replicas", scale.replicas);
  v("who", scale.who);
  v("when", scale.when);
}

struct AskedBy {
  std::string who;
  WallTime when{};
  bool operator==(const AskedBy&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, AskedBy>& asked) {
  v("who", asked.who);
  v("when", asked.when);
}

struct Overrides {
  std::map<std::string, ScaleOverride> scale;  // by service
  std::map<std::string, uint64_t> restarts;    // by service: a number that grows with every `restart`
  std::map<std::string, AskedBy> drained;      // by service ("web") or instance ("web.3")
  std::optional<AskedBy> down;                 // nothing runs until the next `up`
  bool operator==(const Overrides&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Overrides>& overrides) {
  v("scale", overrides.scale);
  v("restarts", overrides.restarts);
  v("drained", overrides.drained);
  v("down", overrides.down);
}

// Ports given out once and kept, so that a service's address survives every deploy.
struct Allocations {
  std::map<std::string, uint16_t> addresses;  // service -> port on 127.0.0.1
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Allocations>& allocations) {
  v("addresses", allocations.addresses);
}

// The overrides that outlive an apply of `to`: a scale and `down` end with it, since an apply makes what the file says
// so; a drain ends when its service goes. Restart numbers of services that stay are kept: dropping one would restart
// it.
Overrides carried_overrides(const Overrides& overrides, const model::Organisation& to);

// kInvalid, with the reason, if this service cannot run that many instances: a volume with one writer allows one.
Result<void> check_scale(const model::Service& service, uint32_t replicas);

// The service of an instance: "web.3" is of "web". Empty if the text is no instance's name.
std::string_view service_of(std::string_view instance);

}  // namespace freehold::control
