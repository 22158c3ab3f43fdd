// The archive inside of a backup: POSIX pax (ustar with extended headers), as GNU tar and bsdtar read it.
//
// TarWriter writes files, folders, symbolic and hard links with numeric owners and their names, times to the
// nanosecond, and holes (GNU sparse format 1.0). TarReader takes pieces of any size and accepts what TarWriter can
// write and nothing else: relative names without "..", limited lengths, exact padding and end. One thread at a time.
// Errors: kCorrupt, with the name where there is one; those of the sinks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "contents/contents.h"
#include "os/tree.h"

namespace freehold::keep {

using contents::Sink;

// `entry.path` is the whole name in the archive, and never empty.
struct Member {
  os::TreeEntry entry;
  std::string user{};  // the owner's name where it was made; empty if it had none
  std::string group{};
  bool operator==(const Member&) const = default;
};

inline constexpr size_t kMostPath = 4096;
inline constexpr size_t kMostOwnerName = 256;
inline constexpr size_t kMostExtended = 64 << 10;  // bytes of one extended header
inline constexpr size_t kMostSparseMap = 512 << 10;

class TarWriter {
 public:
  explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}
  // kInvalid if it is over a limit.
  Result<void> begin(const Member& member);
  // The bytes of the file's extents, all of them, before the next begin().
  Result<void> write(std::string_view bytes);
  Result<void> finish();

 private:
  Sink sink_;
  uint64_t left_ = 0;   // of the member's bytes
  size_t padding_ = 0;  // after them
};

class TarReader {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual Result<void> on_member(const Member& member) = 0;
    virtual Result<void> on_data(std::string_view bytes) = 0;  // of the member's extents
    virtual Result<void> on_member_end() = 0;
  };
  explicit TarReader(Handler& handler) : handler_(handler) {}

  Result<void> write(std::string_view bytes);
  // kCorrupt if the archive has not ended.
  Result<void> finish() const;

 private:
  enum class State { kHeader, kExtended, kMap, kData, kPadding, kEnd, kEnded };

  Result<void> take(std::string_view block);
  Result<void> on_header(std::string_view block);
  Result<void> on_extended(const struct TarBlock& header);
  Result<void> on_map(std::string_view block);
  Result<void> begin_data();
  Result<void> end_data();
  Result<void> take_data(std::string_view& bytes);

  Handler& handler_;
  State state_ = State::kHeader;
  std::string block_;                    // that is not whole yet
  std::string text_;                     // of an extended header, or of a map
  std::optional<std::string> extended_;  // the records before the header that is awaited
  std::string header_;
  Member member_;
  uint64_t left_ = 0;  // bytes of the extended header, or of the member
  size_t padding_ = 0;
};

}  // namespace freehold::keep
