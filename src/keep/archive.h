// The file of a backup: a pax archive (tar.h) in a zstd frame in an age file (age.h), with rules for its members.
//
//   freehold/format            the first: "freehold backup 1\n"
//   state/...                  of the state directory: control/, keys/, policy.yaml
//   volumes/SERVICE/NAME/...   one folder for each volume
//   freehold/backup.json       the last: Summary
//
// docs/operations/backup.md is the same for people. Errors: as age.h, zstd.h and tar.h have them; kUnsupported for a
// format that is newer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "codec/hash.h"
#include "keep/age.h"
#include "keep/summary.h"
#include "keep/tar.h"
#include "keep/zstd.h"
#include "os/disk.h"

namespace freehold::keep {

namespace names {
inline constexpr std::string_view kFormat = "freehold/format";
inline constexpr std::string_view kSummary = "freehold/backup.json";
inline constexpr std::string_view kState = "state";
inline constexpr std::string_view kContents = "state/control/contents";
inline constexpr std::string_view kVolumes = "volumes";
}  // namespace names

inline constexpr uint64_t kFormat = 1;

// Told how many bytes of the file have gone by; its error ends what is under way.
using Progress = std::function<Result<void>(uint64_t bytes)>;

// Writes into a file that is open. Must not move: the stages refer to each other.
class ArchiveWriter {
 public:
  static Result<std::unique_ptr<ArchiveWriter>> begin(os::WritableFile& file, const Key& key, os::Random& random,
                                                      int work_factor, Progress progress);

  Result<void> begin_member(const Member& member) { return tar_.begin(member); }
  Result<void> write(std::string_view bytes) { return tar_.write(bytes); }
  // A small file that is Freehold's own.
  Result<void> add(std::string_view name, std::string_view bytes, WallTime time);
  // Ends and syncs the file. Without it nothing can be read.
  Result<void> finish();

  // After finish(): of the archive, and what opens the file without the key.
  const std::string& digest() const { return digest_; }
  const std::string& file_key() const { return age_->file_key(); }

 private:
  ArchiveWriter(os::WritableFile& file, Progress progress);

  os::WritableFile& file_;
  Progress progress_;
  uint64_t bytes_ = 0;
  codec::Sha256 hash_;
  std::string digest_;
  std::unique_ptr<AgeWriter> age_;
  Compressor compressor_;
  TarWriter tar_;
};

// What is known of a backup that was read to its end.
struct Checked {
  Summary summary;
  std::string digest;    // of the archive
  std::string file_key;  // opens it again
};

// Reads it all, and checks every byte; the members between the first and the last go to `receiver`, if there is one.
// Only when this has returned success is it known that nothing was changed, and that nothing is missing.
Result<Checked> read_archive(os::Disk& disk, const std::string& path, const AgeReader::Opener& opener,
                             TarReader::Handler* receiver, const Progress& progress);

}  // namespace freehold::keep
