#include "keep/volume_writer.h"

#include <fmt/core.h>

#include <algorithm>

namespace freehold::keep {

Result<void> VolumeWriter::on_entry(const os::TreeEntry& entry) {
  Member member = owners_.named(entry);
  member.entry.path = place_of(entry.path);
  if (entry.kind == os::TreeKind::kHardLink) member.entry.target = place_of(entry.target);
  // From before 1970: nobody means that.
  member.entry.modified = std::max(member.entry.modified, Duration::zero());
  Result<void> begun = archive_.begin_member(member);
  skips_ = !begun && begun.error().code() == ErrorCode::kInvalid;
  if (skips_) {
    on_left_out(entry.path, Why::kFailed, "its name is too long");
    return {};
  }
  FH_TRY(std::move(begun));
  ++summary_.members;
  summary_.bytes.count += entry.data_size();
  return {};
}

Result<void> VolumeWriter::on_data(std::string_view bytes) { return skips_ ? Result<void>() : archive_.write(bytes); }

void VolumeWriter::on_left_out(const std::string& path, Why why, const std::string& reason) {
  if (why == Why::kSpecial) {
    summary_.special.add(place_of(path));
  } else {
    summary_.lost.add(fmt::format("{}: {}", place_of(path), reason));
  }
}

}  // namespace freehold::keep
