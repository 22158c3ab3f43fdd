// Watchdog: tells the service manager that the loop still turns, as often as it wants to hear it. The message is sent
// by a timer of the loop itself, and only when every other loop named has turned since the one before: a process of
// which one thread hangs falls silent, and is killed and started anew.
//
// Does nothing where nobody watches. Threads: `loop`'s. The other loops may run on threads of their own; neither they
// nor `loop` may run any more when this is destroyed.
#pragma once

#include <vector>

#include "os/service_manager.h"
#include "runtime/timer.h"

namespace freehold::runtime {

class Watchdog {
 public:
  Watchdog(Loop& loop, const os::ServiceManager& manager);

  void also(Loop& other) { others_.push_back(&other); }

 private:
  void on_timer(int);

  Loop& loop_;
  const os::ServiceManager& manager_;
  std::vector<Loop*> others_;
  size_t silent_ = 0;  // of the others, since they were asked
  Timer timer_;
};

}  // namespace freehold::runtime
