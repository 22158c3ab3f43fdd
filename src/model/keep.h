// How much of the logs and of the events is kept: for, size and count, whichever is reached first. Beyond it the oldest
// goes. What is not said has a bound all the same.
#pragma once

#include <optional>
#include <string>

#include "base/units.h"
#include "codec/fields.h"

namespace freehold::model {

struct Keep {
  std::optional<Duration> age;    // `for` in the file
  std::optional<Bytes> size;      // of all together
  std::optional<uint64_t> count;  // lines, or events
  bool operator==(const Keep&) const = default;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Keep>& keep) {
  v("for", keep.age);
  v("size", keep.size);
  v("count", keep.count);
}

struct Keeping {
  Keep logs;
  Keep events;
  bool operator==(const Keeping&) const = default;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Keeping>& keeping) {
  v("logs", keeping.logs);
  v("events", keeping.events);
}

// ---- what holds if the file does not say it
inline constexpr Bytes kLogSize{2ULL << 30};
inline constexpr Bytes kKeeperFile{10 << 20};  // one file of an instance's log ...
inline constexpr Bytes kAccessFile{64 << 20};  // ... and of a gateway core's
inline constexpr uint32_t kLogFiles = 5;       // of either
inline constexpr uint64_t kEventCount = 100'000;
inline constexpr Bytes kEventSize{64ULL << 20};

// ---- what may be asked for
inline constexpr Bytes kLeastLogSize{1ULL << 20};
inline constexpr Bytes kMostLogSize{1ULL << 50};
inline constexpr uint64_t kLeastLogCount = 1'000;
inline constexpr Bytes kLeastEventSize{64ULL << 10};
inline constexpr uint64_t kLeastEventCount = 10;
inline constexpr uint64_t kMostEventCount = 10'000'000;
inline constexpr Bytes kMostEventSize{16ULL << 30};
inline constexpr Duration kLeastAge = std::chrono::minutes(1);

// The files of one writer, a keeper or a core of the gateway. Only a file that nobody writes to any more can go, so
// each is a small part of what is kept, and what one writer leaves alone when nobody looks is never more than all of
// it.
struct LogFiles {
  Bytes file{};     // the current one is put away before it would become larger
  uint32_t most{};  // of them, the current one included
  Duration age{};   // the current one is put away when its first line is older; zero: never for that
  bool operator==(const LogFiles&) const = default;
};
// `usual`: what the writer does if the file says nothing.
LogFiles log_files(const Keep& keep, const LogFiles& usual);

}  // namespace freehold::model
