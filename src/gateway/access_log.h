// AccessLog: one JSON line per request, gathered by a core and written in batches.
//
//   {"time":...,"client":...,"method":...,"host":...,"path":...,"status":...,"bytes":...,"received":...,"ms":...,
//    "service":...,"instance":...,"retries":...,"request":...}
//
// The query is left out, since queries carry secrets. A batch is written when it is full or a second old, by one
// append(2) to a file of this core alone; when that is as large, or its first line as old, as `files` allows, it is
// renamed to "...1" and so on, and the oldest of them goes. When a write fails (disk full), lines are dropped and
// counted, and it is tried again with the next batch. Threads: the core's own.
#pragma once

#include <string>
#include <string_view>

#include "gateway/counters.h"
#include "gateway/request_record.h"
#include "model/keep.h"
#include "os/fd.h"
#include "runtime/timer.h"

namespace freehold::gateway {

class AccessLog {
 public:
  // If the file says nothing of logs.
  static constexpr model::LogFiles kUsualFiles{model::kAccessFile, model::kLogFiles, {}};
  struct Options {
    std::string path;
    size_t batch_bytes = 64 * 1024;
    Duration batch_age = std::chrono::seconds(1);
    model::LogFiles files = kUsualFiles;
  };
  AccessLog(runtime::Loop& loop, Counters& counters, Options options);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog() { flush(); }

  void write(const RequestRecord& record, std::string_view client, WallTime wall, MonotonicTime now);
  void flush();
  // Other bounds from now on.
  void bound(const model::LogFiles& files) { options_.files = files; }

 private:
  void on_age(int result);
  bool open();
  bool is_full() const;
  void rotate();

  Counters& counters_;
  Options options_;
  os::Fd file_;
  uint64_t file_size_ = 0;
  WallTime began_{};  // the file's first line
  WallTime newest_{};
  std::string batch_;
  uint64_t lines_ = 0;  // in the batch
  runtime::Timer age_;
};

}  // namespace freehold::gateway
