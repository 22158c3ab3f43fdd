// The files of one service's log folder, and one instance's files as a single run of lines.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "logs/log_reader.h"
#include "os/disk.h"

namespace freehold::logs {

struct LogFile {
  std::string path;
  uint64_t inode = 0;
  uint64_t size = 0;
  WallTime modified{};
};

// By instance, the oldest file first. Other files in the folder are left alone.
Result<std::map<std::string, std::vector<LogFile>>> list_log_files(os::Disk& disk, const std::string& folder);

// The record of one line; kInvalid if it is none.
Result<LogEntry> parse_entry(std::string_view line, LogFormat format);

// Reads the unread entries of one instance one by one, with the position behind each.
class InstanceLines {
 public:
  InstanceLines(os::Disk& disk, std::vector<LogFile> files, LogFormat format, Cursor::Position from, Cursor& cursor);

  // The next entry, or nullptr when there is none for now. Valid until pop().
  const LogEntry* peek();
  void pop();
  // Behind the last entry that was popped (and what could not be read before it).
  Cursor::Position position() const { return consumed_; }

 private:
  bool fill();
  void take_lines(const std::string& bytes);
  void pass_over();

  os::Disk& disk_;
  std::vector<LogFile> files_;
  LogFormat format_;
  Cursor& cursor_;
  size_t file_ = 0;
  uint64_t offset_ = 0;  // read from disk up to here
  struct Parsed {
    LogEntry entry;
    Cursor::Position behind;
  };
  std::deque<Parsed> parsed_;
  Cursor::Position consumed_;
};

}  // namespace freehold::logs
