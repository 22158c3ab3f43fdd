#include "agent/port_pool.h"

#include <fmt/core.h>

namespace freehold::agent {

Result<uint16_t> PortPool::take() {
  for (unsigned tried = 0; tried <= static_cast<unsigned>(range_.last - range_.first); ++tried) {
    uint16_t port = next_;
    next_ = port == range_.last ? range_.first : static_cast<uint16_t>(port + 1);
    if (taken_.contains(port) || !is_free_(port)) continue;
    taken_.insert(port);
    return port;
  }
  return Error(
      ErrorCode::kExhausted,
      fmt::format("every port from {} to {} is taken; widen `ports` in the agent's policy", range_.first, range_.last));
}

}  // namespace freehold::agent
