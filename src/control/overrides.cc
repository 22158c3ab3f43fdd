#include "control/overrides.h"

#include <fmt/core.h>

namespace freehold::control {

std::string_view service_of(std::string_view instance) {
  size_t dot = instance.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : instance.substr(0, dot);
}

Overrides carried_overrides(const Overrides& overrides, const model::Organisation& to) {
  Overrides out;
  for (const auto& [service, number] : overrides.restarts) {
    if (to.services.contains(service)) out.restarts.emplace(service, number);
  }
  for (const auto& [name, asked] : overrides.drained) {
    if (to.services.contains(name) || to.services.contains(std::string(service_of(name))))
      out.drained.emplace(name, asked);
  }
  return out;
}

Result<void> check_scale(const model::Service& service, uint32_t replicas) {
  if (replicas <= 1 || !service.single_writer()) return {};
  for (const model::Volume& volume : service.volumes) {
    if (volume.writers != model::Writers::kOne) continue;
    return Error(ErrorCode::kInvalid,
                 fmt::format("{} cannot run {} instances: its volume {} allows one writer; write `writers: many` there "
                             "if the program can share it",
                             service.name, replicas, volume.name));
  }
  return {};
}

}  // namespace freehold::control
