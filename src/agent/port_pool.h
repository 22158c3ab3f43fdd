// PortPool: which TCP port on loopback an instance gets.
//
// Ports are handed out in turn through the declared range, so that one that was just given back rests longest. A port
// is only given if nobody listens on it now; somebody may still come first, which the supervisor notices and asks
// again.
#pragma once

#include <cstdint>
#include <functional>
#include <set>

#include "base/result.h"

namespace freehold::agent {

struct PortRange {
  uint16_t first = 20000;
  uint16_t last = 29999;
};

class PortPool {
 public:
  // `is_free` asks the kernel; a test gives its own. `start`, any number, says where in the range it begins: several
  // organisations on one machine that all began at the first port would meet at each, as they start together.
  PortPool(PortRange range, std::function<bool(uint16_t)> is_free, uint64_t start = 0)
      : range_(range),
        next_(static_cast<uint16_t>(range.first + start % (uint64_t{range.last} - range.first + 1))),
        is_free_(std::move(is_free)) {}

  // kExhausted when every port of the range is taken.
  Result<uint16_t> take();
  // An adopted instance has it already.
  void mark_taken(uint16_t port) { taken_.insert(port); }
  void give_back(uint16_t port) { taken_.erase(port); }
  // Nobody listens on it now.
  bool still_free(uint16_t port) const { return is_free_(port); }

 private:
  PortRange range_;
  uint16_t next_;
  std::function<bool(uint16_t)> is_free_;
  std::set<uint16_t> taken_;
};

}  // namespace freehold::agent
