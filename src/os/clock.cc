#include "os/clock.h"

#include <ctime>

namespace freehold::os {
namespace {

Duration read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

class SystemClock : public Clock {
 public:
  WallTime wall() const override { return WallTime(read(CLOCK_REALTIME)); }
  MonotonicTime monotonic() const override { return MonotonicTime(read(CLOCK_BOOTTIME)); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace freehold::os
