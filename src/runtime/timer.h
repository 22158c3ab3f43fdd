// Timer: calls back once at a time of the loop's clock.
//
// A hierarchical wheel with a granularity of a millisecond: arming, re-arming and cancelling are O(1) and allocate
// nothing, so that each connection can move its deadline with every request. Never early; late by at most a
// millisecond and one turn of the loop.
#pragma once

#include "runtime/loop.h"

namespace freehold::runtime {

class Timer {
 public:
  Timer(Loop& loop, Completion expired);  // `expired` gets 0
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();  // cancels

  // Arms, or moves it if it is armed.
  void start(Duration after);
  void start_at(MonotonicTime when);
  void cancel();  // `expired` will not be called, even if it was due in this turn
  bool armed() const;

 private:
  friend class Wheel;
  Loop& loop_;
  Completion expired_;
  MonotonicTime when_{};
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points at this timer in its slot; null when not armed
};

}  // namespace freehold::runtime
