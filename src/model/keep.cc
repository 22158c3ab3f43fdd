#include "model/keep.h"

#include <algorithm>

namespace freehold::model {
namespace {

constexpr uint64_t kParts = 16;  // a file is at most such a part of what is kept
constexpr uint64_t kLeastFile = 64 << 10;
constexpr uint64_t kShortLine = 128;  // bytes: what a record takes at least, about
constexpr uint64_t kMostFiles = 1000;

}  // namespace

LogFiles log_files(const Keep& keep, const LogFiles& usual) {
  if (keep == Keep()) return usual;
  uint64_t size = keep.size.value_or(kLogSize).count;
  uint64_t file = std::clamp(size / kParts, kLeastFile, usual.file.count);
  if (keep.count) file = std::clamp(*keep.count * kShortLine / kParts, kLeastFile, file);
  LogFiles files{Bytes{file}, static_cast<uint32_t>(std::clamp<uint64_t>(size / file, 2, kMostFiles)), {}};
  if (keep.age) files.age = *keep.age / kParts;
  return files;
}

}  // namespace freehold::model
