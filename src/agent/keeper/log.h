// The instance's log: JSON lines, rotated by size and age, bounded in number, never in the way of the workload.
//
// Each record is one line: {"time","service","instance","stream","line"}, and "continued":true when the next record of
// the same stream goes on with the same line. What cannot be written (a full disk) is dropped and counted; as soon
// as there is room again, a record of stream "keeper" with "dropped":N says how many. Files are NAME, NAME.1 (newer)
// ...
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "agent/keeper/text.h"

namespace freehold::keeper {

struct LogLimits {
  uint64_t bytes;        // of one file
  uint64_t files;        // the current one included
  uint64_t seconds = 0;  // so old may the first line of the current one be; 0: any age
};

class Log {
 public:
  // `folder` is the descriptor of a directory. A file that cannot be opened now is tried again with every record.
  void open(int folder, const char* name, const char* service, const char* instance, LogLimits limits);
  void set_time(const timespec& now);
  void add(const char* stream, const char* line, size_t length, bool continued);
  // Writes what is buffered: call it when there is nothing more to read for now.
  void flush();
  // Whether lines were lost of which nothing stands in the log yet; tell_dropped() tries to write that down now.
  bool owes_news() const { return dropped_ > 0; }
  void tell_dropped();

 private:
  void begin(const char* stream);
  void put(const char* bytes, size_t length);
  void put_escaped(const unsigned char* bytes, size_t length);
  void announce_dropped();
  bool reopen();
  bool rotate();
  void write_out();
  void fail(int error);
  const char* rotated_name(uint64_t number);

  int folder_ = -1;
  int file_ = -1;
  LogLimits limits_{};
  char name_[256];
  Text<1600> names_;  // ","service":"...","instance":"...","stream":" in JSON
  char time_[25] = {};
  char first_[24] = {};   // the time of the file's first record; begins with 0 if it has none
  char oldest_[24] = {};  // that it may have
  Text<272> other_name_;
  uint64_t size_ = 0;       // of the file, without what is buffered
  uint64_t safe_size_ = 0;  // the file up to its last whole record
  uint64_t dropped_ = 0;    // lines lost and not yet told of
  uint64_t announced_ = 0;  // of these, told of in the buffer
  uint32_t in_buffer_ = 0;  // lines that the buffer holds
  bool failed_ = false;     // the record that is being added is lost
  int error_ = 0;           // why lines were lost
  size_t used_ = 0;
  char buffer_[8192];
};

}  // namespace freehold::keeper
