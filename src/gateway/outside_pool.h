// OutsidePool: the endpoints of a pool of outside upstreams. Threads: the core's own.
#pragma once

#include <vector>

#include "gateway/endpoint.h"

namespace freehold::gateway {

class OutsidePool {
 public:
  OutsidePool(runtime::Loop& loop, ServicePool& pool, const std::vector<model::Upstream>& upstreams);
};

}  // namespace freehold::gateway
