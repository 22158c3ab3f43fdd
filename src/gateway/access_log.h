// AccessLog: one JSON line per request, gathered by a core and written in batches.
//
//   {"time":...,"client":...,"method":...,"host":...,"path":...,"status":...,"bytes":...,"received":...,"ms":...,
//    "service":...,"instance":...,"retries":...,"request":...}
//
// The query is left out, since queries carry secrets. A batch is written when it is full or a second old, by one
// append(2) to a file of this core alone; at kMostFileBytes the file is renamed to "...1" and so on, and the oldest of
// kMostFiles goes. When a write fails (disk full), lines are dropped and counted, and it is tried again with the next
// batch. Threads: the core's own.
#pragma once

#include <string>
#include <string_view>

#include "gateway/counters.h"
#include "gateway/request_record.h"
#include "os/fd.h"
#include "runtime/timer.h"

namespace freehold::gateway {

class AccessLog {
 public:
  struct Options {
    std::string path;
    size_t batch_bytes = 64 * 1024;
    Duration batch_age = std::chrono::seconds(1);
    uint64_t file_bytes = uint64_t{64} << 20;  // of one file
    uint32_t files = 5;                        // kept, the current one included
  };
  AccessLog(runtime::Loop& loop, Counters& counters, Options options);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog() { flush(); }

  void write(const RequestRecord& record, std::string_view client, WallTime wall, MonotonicTime now);
  void flush();

 private:
  void on_age(int result);
  bool open();
  void rotate();

  Counters& counters_;
  Options options_;
  os::Fd file_;
  uint64_t file_size_ = 0;
  std::string batch_;
  uint64_t lines_ = 0;  // in the batch
  runtime::Timer age_;
};

}  // namespace freehold::gateway
