#include "contents/contents.h"

#include <fmt/core.h>

#include <charconv>

namespace freehold::contents {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr mode_t kFolderMode = 0700;

Result<void> check_digest(std::string_view digest) {
  if (codec::is_sha256_hex(digest)) return {};
  return Error(ErrorCode::kInvalid, "a content is named by 64 lower-case hexadecimal digits");
}

size_t folder_number(std::string_view digest) {
  size_t number = 0;
  std::from_chars(digest.data(), digest.data() + 2, number, 16);
  return number;
}

}  // namespace

std::string Contents::path_of(std::string_view digest) const {
  return fmt::format("{}/{}/{}", folder_, digest.substr(0, 2), digest);
}

Result<uint64_t> Contents::size(std::string_view digest) const {
  FH_TRY(check_digest(digest));
  FH_ASSIGN(os::FileInfo info, disk_.info(path_of(digest)));
  return info.size;
}

Result<void> Contents::copy(std::string_view digest, const Sink& sink) const {
  FH_TRY(check_digest(digest));
  FH_ASSIGN(std::unique_ptr<os::ReadableFile> file, disk_.open(path_of(digest)));
  codec::Sha256 hash;
  for (uint64_t offset = 0;;) {
    FH_ASSIGN(std::string piece, file->read(offset, kPiece));
    if (piece.empty()) break;
    offset += piece.size();
    hash.update(piece);
    FH_TRY(sink(piece));
  }
  if (hash.finish_hex() != digest) {
    return Error(ErrorCode::kCorrupt, fmt::format("{} is damaged: its bytes are not what its name says; apply the file "
                                                  "again to bring them back",
                                                  path_of(digest)));
  }
  return {};
}

Result<std::string> Contents::read(std::string_view digest, Bytes limit) const {
  std::string bytes;
  FH_TRY(copy(digest, [&](std::string_view piece) -> Result<void> {
    if (bytes.size() + piece.size() > limit.count) {
      return Error(ErrorCode::kExhausted, fmt::format("content {} is larger than {}", digest, format_short(limit)));
    }
    bytes += piece;
    return {};
  }));
  return bytes;
}

Upload::Upload(Upload&& other) noexcept
    : store_(other.store_),
      path_(std::exchange(other.path_, {})),
      file_(std::move(other.file_)),
      hash_(std::move(other.hash_)),
      size_(other.size_) {}

Upload::~Upload() {
  if (path_.empty()) return;
  --store_.uploads_;
  file_.reset();
  (void)store_.disk_.remove(path_).ok();
}

Result<void> Upload::append(std::string_view bytes) {
  if (!file_) return Error(ErrorCode::kInvalid, "this upload has ended");
  if (bytes.size() > store_.options_.most_blob.count - size_) {
    file_.reset();
    return Error(ErrorCode::kExhausted,
                 fmt::format("an uploaded file is larger than {}", format_short(store_.options_.most_blob)));
  }
  Result<void> written = file_->append(bytes);
  if (!written) {
    file_.reset();
    return written;
  }
  hash_.update(bytes);
  size_ += bytes.size();
  return {};
}

Result<void> Upload::finish(std::string_view expected) {
  FH_TRY(check_digest(expected));
  if (!file_) return Error(ErrorCode::kInvalid, "this upload has ended");
  std::unique_ptr<os::WritableFile> file = std::move(file_);
  std::string digest = hash_.finish_hex();
  if (digest != expected) {
    return Error(ErrorCode::kInvalid,
                 fmt::format("the uploaded bytes have the digest {}, not {}: they changed on the way "
                             "or while they were read",
                             digest, expected));
  }
  FH_TRY(file->sync());
  return store_.adopt(path_, digest);
}

Result<std::unique_ptr<ContentStore>> ContentStore::open(os::Disk& disk, const os::Clock& clock, std::string folder,
                                                         Options options) {
  std::unique_ptr<ContentStore> store(new ContentStore(disk, clock, std::move(folder), options));
  FH_TRY(store->prepare());
  return store;
}

Result<void> ContentStore::prepare() {
  std::string incoming = os::join_path(folder_, "incoming");
  FH_TRY(disk_.remove_tree(incoming));
  FH_TRY(disk_.make_directories(incoming, kFolderMode));
  // All at once, so that no upload has to make the entry of a new folder durable.
  for (unsigned number = 0; number < 256; ++number) {
    FH_TRY(disk_.make_directories(fmt::format("{}/{:02x}", folder_, number), kFolderMode));
  }
  FH_TRY(disk_.sync_directory(folder_));
  return disk_.sync_directory(os::parent_path(folder_));
}

Result<Upload> ContentStore::begin_upload() {
  if (uploads_ >= options_.most_uploads) {
    return Error(ErrorCode::kUnavailable, fmt::format("{} uploads are under way already: try again", uploads_));
  }
  std::string path = fmt::format("{}/incoming/{}", folder_, ++next_upload_);
  FH_ASSIGN(std::unique_ptr<os::WritableFile> file, disk_.create(path, 0600));
  ++uploads_;
  return Upload(*this, std::move(path), std::move(file));
}

Result<std::string> ContentStore::put(std::string_view bytes) {
  std::string digest = codec::sha256_hex(bytes);
  FH_ASSIGN(Upload upload, begin_upload());
  FH_TRY(upload.append(bytes));
  FH_TRY(upload.finish(digest));
  return digest;
}

Result<void> ContentStore::adopt(const std::string& path, std::string_view digest) {
  std::string target = path_of(digest);
  // Over one that is there already, too: if that one is damaged, it is whole again.
  settled_.reset(folder_number(digest));
  FH_TRY(disk_.rename(path, target));
  FH_TRY(settle(digest));
  held_.insert_or_assign(std::string(digest), clock_.monotonic());
  return {};
}

// What was renamed but not synced, here or by a process before us, looks as if it were there until the power is cut.
Result<void> ContentStore::settle(std::string_view digest) {
  size_t number = folder_number(digest);
  if (settled_[number]) return {};
  FH_TRY(disk_.sync_directory(os::parent_path(path_of(digest))));
  settled_.set(number);
  return {};
}

Result<bool> ContentStore::hold(std::string_view digest) {
  FH_TRY(check_digest(digest));
  auto info = disk_.info(path_of(digest));
  if (!info) {
    if (info.error().code() == ErrorCode::kNotFound) return false;
    return info.error();
  }
  FH_TRY(settle(digest));
  held_.insert_or_assign(std::string(digest), clock_.monotonic());
  return true;
}

Result<void> ContentStore::verify(std::string_view digest) {
  Result<void> read = copy(digest, [](std::string_view) -> Result<void> { return {}; });
  if (read || read.error().code() != ErrorCode::kCorrupt) return read;
  std::string aside = os::join_path(folder_, "damaged");
  FH_TRY(disk_.make_directories(aside, kFolderMode));
  FH_TRY(disk_.rename(path_of(digest), os::join_path(aside, digest)));
  return read;
}

Result<Collected> ContentStore::collect(const std::set<std::string>& live, Duration grace) {
  Collected collected;
  MonotonicTime now = clock_.monotonic();
  if (now - opened_ < grace) return collected;
  std::erase_if(held_, [&](const auto& held) { return now - held.second >= grace; });
  for (unsigned number = 0; number < 256; ++number) {
    std::string folder = fmt::format("{}/{:02x}", folder_, number);
    FH_ASSIGN(std::vector<os::FileInfo> blobs, disk_.list(folder));
    for (const os::FileInfo& blob : blobs) {
      if (live.contains(blob.name) || held_.contains(blob.name)) continue;
      FH_TRY(disk_.remove(os::join_path(folder, blob.name)));
      ++collected.blobs;
      collected.bytes.count += blob.size;
    }
  }
  return collected;
}

}  // namespace freehold::contents
