// LogReader: the lines of one service, merged over its instances and rotated files by time.
//
//   LogReader reader(system_disk(), state + "/logs/web");
//   FH_ASSIGN(Cursor cursor, reader.start({.last = 100}));
//   for (;;) {
//     FH_ASSIGN(std::vector<LogEntry> batch, reader.next(cursor, 500));   // empty: nothing more for now
//     ...
//   }
//
// Reading and following are one: a cursor says up to where each instance's log has been read, by file identity and
// offset, and stays right while keepers append and rotate. Lines of one instance keep their order; those of several are
// merged by their time within what is there when next() is called. What was rotated away before it was read is counted.
// Memory: one chunk of at most 1 MiB for each instance that has something unread, and the batch. Threads: none; one
// thread at a time per cursor. Errors: a folder that is missing is a service without logs; a line that is no record is
// skipped and counted.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/disk.h"

namespace freehold::logs {

struct LogEntry {
  WallTime time{};
  std::string service;
  std::string instance;
  std::string stream;  // stdout, stderr, or keeper
  std::string line;
  bool continued = false;  // the next entry of the same instance and stream goes on with this line
  uint64_t dropped = 0;    // keeper: how many lines the disk did not take
};

// Who wrote it. Of the gateway's access log an entry's line is the whole record, and its stream "access".
enum class LogFormat { kKeeper, kAccess };

struct Cursor {
  struct Position {
    uint64_t inode = 0;
    uint64_t offset = 0;
  };
  std::map<std::string, Position> positions;  // by instance; one that is not in it is read from its beginning
  std::set<std::string> instances;            // only these; all if empty
  std::string subject;                        // only entries of this service or instance; all if empty
  WallTime since{};                           // earlier entries are left out
  uint64_t skip = 0;                          // entries to leave out, so that "the last N" are N
  uint64_t malformed_lines = 0;
  uint64_t lost_files = 0;  // rotated away before they were read
};

struct LogStart {
  std::optional<WallTime> since;
  std::optional<uint64_t> last;  // of the service, at most 100,000; after `since` if both are set
  std::set<std::string> instances;
  // Of an access log, where many services share a file. `last` of it is sought among the last kSearched of each file.
  std::string subject;
};

class LogReader {
 public:
  static constexpr uint64_t kSearched = 10'000;

  // `folder` holds <instance>.log and <instance>.log.N of one service; for the access log an instance is a core.
  LogReader(os::Disk& disk, std::string folder, LogFormat format = LogFormat::kKeeper)
      : disk_(disk), folder_(std::move(folder)), format_(format) {}

  Result<Cursor> start(const LogStart& start);
  // At most `most` entries, and moves the cursor behind them.
  Result<std::vector<LogEntry>> next(Cursor& cursor, size_t most);

 private:
  Result<uint64_t> count(Cursor cursor);

  os::Disk& disk_;
  std::string folder_;
  LogFormat format_;
};

}  // namespace freehold::logs
