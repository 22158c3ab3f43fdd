// One volume into an archive. Internal to keep.
#pragma once

#include <string>

#include "keep/archive.h"
#include "keep/owner_names.h"

namespace freehold::keep {

class VolumeWriter : public os::TreeVisitor {
 public:
  VolumeWriter(ArchiveWriter& archive, OwnerNames& owners, Summary& summary, std::string name)
      : archive_(archive), owners_(owners), summary_(summary), name_(std::move(name)) {}

  Result<void> on_entry(const os::TreeEntry& entry) override;
  Result<void> on_data(std::string_view bytes) override;
  void on_changed(const std::string& path) override { summary_.changed.add(place_of(path)); }
  void on_left_out(const std::string& path, Why why, const std::string& reason) override;

 private:
  std::string place_of(const std::string& path) const { return path.empty() ? name_ : name_ + "/" + path; }

  ArchiveWriter& archive_;
  OwnerNames& owners_;
  Summary& summary_;
  std::string name_;    // "volumes/SERVICE/NAME"
  bool skips_ = false;  // the file whose bytes are coming
};

}  // namespace freehold::keep
