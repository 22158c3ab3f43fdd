// The keeper's life beside a running workload: logs drained, orphans reaped, the ending told.
#pragma once

#include <sys/types.h>

#include "agent/keeper/log.h"
#include "agent/keeper/record.h"

namespace freehold::keeper {

// One stream of the workload: what it wrote and is no whole line yet.
class Stream {
 public:
  void open(int pipe, const char* name) {
    pipe_ = pipe;
    name_ = name;
  }
  int pipe() const { return pipe_; }  // -1: at its end
  // One read; whole lines go to the log. A line over the buffer is split, each part but the last marked.
  void read(Log& log);
  void finish(Log& log);

 private:
  void cut(Log& log);
  static constexpr size_t kLineBytes = 16384;
  int pipe_ = -1;
  const char* name_ = "";
  size_t used_ = 0;
  bool continuing_ = false;
  char buffer_[kLineBytes];
};

struct Watch {
  pid_t child = 0;
  int kill_file = -1;  // cgroup.kill, or -1
  int oom_file = -1;
  uint64_t linger_ms = 0;
  uint64_t drain_ms = 0;
};

// Returns when the child and all that it left behind are gone (or time is over) and the log is written.
Ending keep(const Watch& watch, int child_signals, Stream& output, Stream& error, Log& log);

}  // namespace freehold::keeper
