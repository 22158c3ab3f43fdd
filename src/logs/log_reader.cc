#include "logs/log_reader.h"

#include <algorithm>
#include <memory>

#include "logs/log_files.h"

namespace freehold::logs {
namespace {

constexpr uint64_t kMostLast = 100'000;

// Where the last `count` lines of these files begin, and how many lines there are from there on. Read backwards, so
// that the end of a large log costs only the end.
struct Tail {
  Cursor::Position from;
  uint64_t lines = 0;
};

Result<Tail> find_tail(os::Disk& disk, const std::vector<LogFile>& files, uint64_t count) {
  constexpr uint64_t kChunk = 64 << 10;
  Tail tail;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    auto opened = disk.open(file->path);
    if (!opened) continue;  // rotated away since it was listed
    tail.from = {file->inode, 0};
    for (uint64_t end = file->size; end > 0;) {
      uint64_t begin = end > kChunk ? end - kChunk : 0;
      FH_ASSIGN(std::string bytes, (*opened)->read(begin, end - begin));
      for (size_t at = bytes.size(); at > 0; --at) {
        if (bytes[at - 1] != '\n') continue;
        // The break behind line N is where the line after it begins.
        if (tail.lines == count) {
          tail.from.offset = begin + at;
          return tail;
        }
        ++tail.lines;
      }
      end = begin;
    }
    if (tail.lines >= count) break;
  }
  return tail;
}

}  // namespace

Result<Cursor> LogReader::start(const LogStart& start) {
  Cursor cursor;
  cursor.instances = start.instances;
  cursor.subject = start.subject;
  if (start.since) cursor.since = *start.since;
  FH_ASSIGN(auto all, list_log_files(disk_, folder_));
  uint64_t lines = 0;
  uint64_t last = std::min(start.last.value_or(0), kMostLast);
  uint64_t looked_at = start.subject.empty() ? last : std::max(last, kSearched);
  for (auto& [instance, files] : all) {
    if (!cursor.instances.empty() && !cursor.instances.contains(instance)) continue;
    if (start.last) {
      FH_ASSIGN(Tail tail, find_tail(disk_, files, looked_at));
      cursor.positions[instance] = tail.from;
      lines += tail.lines;
    } else if (start.since) {
      // A file that was last written before the moment holds nothing from after it.
      auto first = std::ranges::find_if(files, [&](const LogFile& file) { return file.modified >= *start.since; });
      if (first == files.end()) {
        cursor.positions[instance] = {files.back().inode, files.back().size};
      } else {
        cursor.positions[instance] = {first->inode, 0};
      }
    }
  }
  // Each instance's last N lines hold the service's last N, and more: the oldest of them are passed over.
  if (start.last && !start.subject.empty()) {
    FH_ASSIGN(lines, count(cursor));
  }
  if (lines > last) cursor.skip = lines - last;
  return cursor;
}

// How many entries lie before a cursor's end; a copy of it is moved there.
Result<uint64_t> LogReader::count(Cursor cursor) {
  constexpr size_t kBatch = 1000;
  uint64_t entries = 0;
  for (;;) {
    FH_ASSIGN(std::vector<LogEntry> batch, next(cursor, kBatch));
    if (batch.empty()) return entries;
    entries += batch.size();
  }
}

Result<std::vector<LogEntry>> LogReader::next(Cursor& cursor, size_t most) {
  FH_ASSIGN(auto all, list_log_files(disk_, folder_));
  std::map<std::string, std::unique_ptr<InstanceLines>> unread;
  for (auto& [instance, files] : all) {
    if (!cursor.instances.empty() && !cursor.instances.contains(instance)) continue;
    Cursor::Position from = cursor.positions[instance];
    // Most instances of a long history have nothing new: they are not opened.
    if (files.back().inode == from.inode && files.back().size <= from.offset) continue;
    unread[instance] = std::make_unique<InstanceLines>(disk_, std::move(files), format_, from, cursor);
  }
  std::vector<LogEntry> batch;
  while (batch.size() < most) {
    std::string earliest;
    const LogEntry* chosen = nullptr;
    for (auto& [instance, lines] : unread) {
      const LogEntry* entry = lines->peek();
      if (entry == nullptr || (chosen != nullptr && entry->time >= chosen->time)) continue;
      chosen = entry;
      earliest = instance;
    }
    if (chosen == nullptr) break;
    if (!cursor.subject.empty() && chosen->service != cursor.subject && chosen->instance != cursor.subject) {
      // Somebody else's.
    } else if (cursor.skip > 0) {
      --cursor.skip;
    } else if (chosen->time >= cursor.since) {
      batch.push_back(*chosen);
    }
    unread[earliest]->pop();
  }
  for (auto& [instance, lines] : unread) cursor.positions[instance] = lines->position();
  return batch;
}

}  // namespace freehold::logs
