#include "keep/archive.h"

#include <fmt/core.h>

#include "base/text.h"
#include "keep/member_rules.h"
#include "keep/tar_block.h"

namespace freehold::keep {
namespace {

constexpr size_t kPiece = 256 << 10;

}  // namespace

ArchiveWriter::ArchiveWriter(os::WritableFile& file, Progress progress)
    : file_(file),
      progress_(std::move(progress)),
      compressor_([this](std::string_view bytes) { return age_->write(bytes); }),
      tar_([this](std::string_view bytes) {
        hash_.update(bytes);
        return compressor_.write(bytes);
      }) {}

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::begin(os::WritableFile& file, const Key& key, os::Random& random,
                                                            int work_factor, Progress progress) {
  std::unique_ptr<ArchiveWriter> writer(new ArchiveWriter(file, std::move(progress)));
  ArchiveWriter* self = writer.get();
  Sink append = [self](std::string_view bytes) -> Result<void> {
    FH_TRY(self->file_.append(bytes));
    self->bytes_ += bytes.size();
    return self->progress_ ? self->progress_(self->bytes_) : Result<void>();
  };
  FH_ASSIGN(AgeWriter age, AgeWriter::begin(key, random, work_factor, std::move(append)));
  writer->age_ = std::make_unique<AgeWriter>(std::move(age));
  FH_TRY(writer->add(names::kFormat, fmt::format("{}{}\n", kFormatWords, kFormat), {}));
  return writer;
}

Result<void> ArchiveWriter::add(std::string_view name, std::string_view bytes, WallTime time) {
  Member member;
  member.entry.path = std::string(name);
  member.entry.mode = 0600;
  member.entry.modified = time.time_since_epoch();
  member.entry.size = bytes.size();
  if (!bytes.empty()) member.entry.extents = {{0, bytes.size()}};
  FH_TRY(tar_.begin(member));
  return bytes.empty() ? Result<void>() : tar_.write(bytes);
}

Result<void> ArchiveWriter::finish() {
  FH_TRY(tar_.finish());
  FH_TRY(compressor_.finish());
  FH_TRY(age_->finish());
  digest_ = hash_.finish_hex();
  return file_.sync();
}

Result<Checked> read_archive(os::Disk& disk, const std::string& path, const AgeReader::Opener& opener,
                             TarReader::Handler* receiver, const Progress& progress) {
  Checked out;
  codec::Sha256 hash;
  MemberRules rules(receiver);
  TarReader tar(rules);
  Decompressor decompressor([&](std::string_view bytes) {
    hash.update(bytes);
    return tar.write(bytes);
  });
  AgeReader age(
      [&](std::string_view header) -> Result<std::string> {
        FH_ASSIGN(out.file_key, opener(header));
        return out.file_key;
      },
      [&](std::string_view bytes) { return decompressor.write(bytes); });
  auto read_all = [&]() -> Result<void> {
    FH_ASSIGN(std::unique_ptr<os::ReadableFile> file, disk.open(path));
    for (uint64_t at = 0;;) {
      FH_ASSIGN(std::string piece, file->read(at, kPiece));
      if (piece.empty()) break;
      at += piece.size();
      FH_TRY(age.write(piece));
      if (progress) FH_TRY(progress(at));
    }
    FH_TRY(age.finish());
    FH_TRY(decompressor.finish());
    FH_TRY(tar.finish());
    FH_ASSIGN(out.summary, rules.finish());
    return {};
  };
  Result<void> read = read_all();
  if (!read && read.error().code() != ErrorCode::kCancelled && read.error().code() != ErrorCode::kNotFound)
    return read.error().with_context(path);
  FH_TRY(std::move(read));
  out.digest = hash.finish_hex();
  return out;
}

}  // namespace freehold::keep
