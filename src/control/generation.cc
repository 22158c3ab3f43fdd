#include "control/generation.h"

#include <fmt/core.h>

namespace freehold::control {

Result<void> check_base(uint64_t planned_against, uint64_t current) {
  if (planned_against == current) return {};
  return Error(
      ErrorCode::kConflict,
      fmt::format("this was planned against generation {}, but generation {} is current now; look at a new plan "
                  "and apply again",
                  planned_against, current));
}

}  // namespace freehold::control
