#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>

#include "base/time.h"

namespace freehold {
namespace {

std::atomic<LogLevel> lowest = LogLevel::kInfo;

struct LevelName {
  const char* name;
  const char* colour;
};
LevelName name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return {"debug", "\033[2m"};
    case LogLevel::kInfo:
      return {"info", ""};
    case LogLevel::kWarning:
      return {"warning", "\033[33m"};
    case LogLevel::kError:
      return {"error", "\033[31m"};
  }
  return {"error", ""};
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void set_log_level(LogLevel level) { lowest = level; }

void log_line(LogLevel level, std::string_view part, std::string_view message) {
  if (level < lowest.load(std::memory_order_relaxed)) return;
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  static const bool colour = terminal && std::getenv("NO_COLOR") == nullptr;
  LevelName name = name_of(level);
  std::string line;
  if (terminal) {
    line =
        fmt::format("{}{}: {}{}\n", colour ? name.colour : "", part, message, colour && *name.colour ? "\033[0m" : "");
  } else {
    // The log's own timestamp is the one use of the system clock outside os::Clock: a line must be written even when
    // nothing else works.
    WallTime now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    line = fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"part\":\"{}\",\"message\":", format_time(now), name.name,
                       part);
    append_json_string(line, message);
    line += "}\n";
  }
  [[maybe_unused]] auto written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace freehold
