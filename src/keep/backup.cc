#include "keep/backup.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "keep/volume_writer.h"
#include "os/lock.h"
#include "store/sqlite.h"

namespace freehold::keep {
namespace {

constexpr int kMostMoments = 10;
constexpr size_t kPiece = 256 << 10;
constexpr size_t kMostVolumes = 10'000;

std::string volume_name(const KeptVolume& volume) {
  return fmt::format("{}/{}/{}", names::kVolumes, volume.service, volume.name);
}

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

class Backup {
 public:
  Backup(os::Disk& disk, os::Random& random, WallTime now, const BackupOptions& options)
      : disk_(disk),
        random_(random),
        options_(options),
        layout_(options.layout),
        contents_(disk, layout_.contents()),
        partial_(options.file + ".partial"),
        state_copy_(layout_.root + "/backup.state.db"),
        events_copy_(layout_.root + "/backup.events.db") {
    summary_.created = now;
  }
  ~Backup() {
    for (const std::string& path : {partial_, state_copy_, events_copy_}) (void)disk_.remove(path).ok();
  }
  Backup(const Backup&) = delete;

  Result<Summary> run(const Key& key);

 private:
  Result<void> write(const Key& key, Checked& expected);
  Result<void> take_moment();
  Result<void> add_contents();
  Result<bool> add_content(const std::string& digest);
  Result<void> add_folder(const std::string& folder, std::string_view name);
  Result<void> add_file(const std::string& path, std::string_view name);
  Result<void> add_state();
  Result<void> find_own_volumes();
  Result<void> add_volumes();
  Result<void> begin_member(const os::FileInfo& info, std::string_view name);

  os::Fd lock_;  // until nothing of ours is left
  os::Disk& disk_;
  os::Random& random_;
  const BackupOptions& options_;
  const model::Layout& layout_;
  contents::Contents contents_;
  std::string partial_, state_copy_, events_copy_;
  std::unique_ptr<ArchiveWriter> archive_;
  OwnerNames owners_;
  Summary summary_;
  std::set<std::string> contents_needed_;
  std::set<std::string> contents_written_;  // or found damaged
  std::set<std::string> folders_written_;
};

// The databases as they are now, and what they say.
Result<void> Backup::take_moment() {
  FH_TRY(store::Database::copy(disk_, layout_.state_database(), state_copy_));
  if (disk_.exists(layout_.event_database()))
    FH_TRY(store::Database::copy(disk_, layout_.event_database(), events_copy_));
  FH_ASSIGN(StateView view, options_.look(state_copy_));
  summary_.organisation = std::move(view.organisation);
  summary_.generation = view.generation;
  summary_.generations = view.generations;
  summary_.volumes = std::move(view.volumes);
  contents_needed_ = std::move(view.contents);
  return {};
}

Result<void> Backup::begin_member(const os::FileInfo& info, std::string_view name) {
  os::TreeEntry entry;
  entry.path = std::string(name);
  entry.kind = info.kind == os::FileKind::kDirectory ? os::TreeKind::kFolder : os::TreeKind::kFile;
  entry.mode = info.mode;
  entry.owner = info.owner;
  entry.group = info.group;
  entry.modified = std::max(info.modified, Duration::zero());
  if (entry.kind == os::TreeKind::kFile) entry.size = info.size;
  if (entry.size > 0) entry.extents = {{0, entry.size}};
  ++summary_.members;
  summary_.bytes.count += entry.size;
  return archive_->begin_member(owners_.named(std::move(entry)));
}

Result<void> Backup::add_folder(const std::string& folder, std::string_view name) {
  if (!folders_written_.insert(folder).second) return {};
  FH_ASSIGN(os::FileInfo info, disk_.info(folder));
  return begin_member(info, name);
}

// One of Freehold's own, that nobody writes to.
Result<void> Backup::add_file(const std::string& path, std::string_view name) {
  FH_ASSIGN(std::unique_ptr<os::ReadableFile> file, disk_.open(path));
  FH_ASSIGN(os::FileInfo info, file->info());
  if (info.kind != os::FileKind::kFile) return Error(ErrorCode::kInvalid, fmt::format("{} is no plain file", path));
  FH_TRY(begin_member(info, name));
  for (uint64_t at = 0; at < info.size;) {
    FH_ASSIGN(std::string piece, file->read(at, std::min<uint64_t>(kPiece, info.size - at)));
    if (piece.empty()) return Error(ErrorCode::kConflict, fmt::format("{} was cut while it was read: try again", path));
    at += piece.size();
    FH_TRY(archive_->write(piece));
  }
  return {};
}

// False if it is not there.
Result<bool> Backup::add_content(const std::string& digest) {
  // Read twice: once something is written it cannot be taken back.
  auto read = contents_.copy(digest, [](std::string_view) -> Result<void> { return {}; });
  if (!read && read.error().code() == ErrorCode::kNotFound) return false;
  contents_written_.insert(digest);
  if (!read && read.error().code() == ErrorCode::kCorrupt) {
    summary_.lost.add(fmt::format("content {}: damaged", digest));
    return true;
  }
  FH_TRY(std::move(read));
  std::string sub = digest.substr(0, 2);
  std::string folder = fmt::format("{}/{}", layout_.contents(), sub);
  std::string name = fmt::format("{}/{}", names::kContents, sub);
  FH_TRY(add_folder(folder, name));
  FH_TRY(add_file(fmt::format("{}/{}", folder, digest), fmt::format("{}/{}", name, digest)));
  ++summary_.contents;
  return true;
}

Result<void> Backup::add_contents() {
  FH_TRY(add_folder(layout_.control(), fmt::format("{}/control", names::kState)));
  FH_TRY(add_folder(layout_.contents(), names::kContents));
  std::set<std::string> missing, missing_before;
  for (int moment = 0; moment < kMostMoments; ++moment) {
    FH_TRY(take_moment());
    missing.clear();
    for (const std::string& digest : contents_needed_) {
      if (contents_written_.contains(digest)) continue;
      FH_ASSIGN(bool there, add_content(digest));
      if (!there) missing.insert(digest);
    }
    // What control removes it does not name any more. What a later moment misses as well is lost.
    if (missing.empty() || missing == missing_before) break;
    missing_before = missing;
  }
  for (const std::string& digest : missing) summary_.lost.add(fmt::format("content {}: missing", digest));
  return {};
}

Result<void> Backup::add_state() {
  std::string control = fmt::format("{}/control", names::kState);
  FH_TRY(add_file(state_copy_, control + "/state.db"));
  if (disk_.exists(events_copy_)) FH_TRY(add_file(events_copy_, control + "/events.db"));
  std::string ids = layout_.event_database() + ".ids";
  if (disk_.exists(ids)) FH_TRY(add_file(ids, control + "/events.db.ids"));
  std::string keys = fmt::format("{}/keys", names::kState);
  FH_TRY(add_folder(layout_.keys(), keys));
  if (disk_.exists(layout_.seal_key())) FH_TRY(add_file(layout_.seal_key(), keys + "/seal"));
  if (disk_.exists(layout_.token())) FH_TRY(add_file(layout_.token(), keys + "/token"));
  if (disk_.exists(layout_.policy())) FH_TRY(add_file(layout_.policy(), fmt::format("{}/policy.yaml", names::kState)));
  FH_ASSIGN(auto users, os::UserRange::read(disk_, layout_.user_ids()));
  summary_.users.insert(users.begin(), users.end());
  return {};
}

// Of services that are no more, too: what is gone back to may want them again.
Result<void> Backup::find_own_volumes() {
  auto services = disk_.list(layout_.volumes());
  if (!services) return services.error().code() == ErrorCode::kNotFound ? Result<void>() : services.error();
  for (const os::FileInfo& service : *services) {
    if (service.kind != os::FileKind::kDirectory) continue;
    FH_ASSIGN(std::vector<os::FileInfo> folders, disk_.list(os::join_path(layout_.volumes(), service.name)));
    for (const os::FileInfo& folder : folders) {
      if (folder.kind == os::FileKind::kDirectory) summary_.volumes.push_back({service.name, folder.name, ""});
    }
  }
  return {};
}

Result<void> Backup::add_volumes() {
  // Those with a path of their own are declared; the others are what is there.
  std::erase_if(summary_.volumes, [&](const KeptVolume& volume) {
    auto info = disk_.info(volume.path);
    return volume.path.empty() || !info || info->kind != os::FileKind::kDirectory;
  });
  std::set<std::string> paths;
  for (const KeptVolume& volume : summary_.volumes) paths.insert(volume.path);
  std::set<std::string> taken;
  // One folder may have several names, and one may lie in another: each file is kept once.
  std::erase_if(summary_.volumes, [&](const KeptVolume& volume) {
    bool inner = std::ranges::any_of(
        paths, [&](const std::string& path) { return path != volume.path && is_within(volume.path, path); });
    return inner || !taken.insert(volume.path).second;
  });
  FH_TRY(find_own_volumes());
  if (summary_.volumes.size() > kMostVolumes)
    return Error(ErrorCode::kExhausted, fmt::format("there are more than {} volumes", kMostVolumes));
  std::set<os::FileIdentity> except;
  for (const std::string& path : {partial_, state_copy_, events_copy_, options_.file, layout_.root}) {
    auto info = disk_.info(path);
    if (info) except.insert({info->device, info->inode});
  }
  for (const KeptVolume& volume : summary_.volumes) {
    std::string path =
        volume.path.empty() ? fmt::format("{}/{}/{}", layout_.volumes(), volume.service, volume.name) : volume.path;
    VolumeWriter writer(*archive_, owners_, summary_, volume_name(volume));
    FH_TRY(os::read_tree(path, except, writer));
  }
  return {};
}

Result<void> Backup::write(const Key& key, Checked& expected) {
  FH_ASSIGN(std::unique_ptr<os::WritableFile> file, disk_.create(partial_, 0600));
  FH_ASSIGN(archive_, ArchiveWriter::begin(*file, key, random_, options_.work_factor, options_.written));
  summary_.made_by = options_.made_by;
  summary_.state = layout_.root;
  FH_TRY(add_contents());
  FH_TRY(add_state());
  FH_TRY(add_volumes());
  // Without root there are no users but the one.
  summary_.rootless = summary_.users.empty();
  FH_TRY(archive_->add(names::kSummary, codec::to_json(summary_).dump_pretty() + "\n", summary_.created));
  FH_TRY(archive_->finish());
  expected.digest = archive_->digest();
  expected.file_key = archive_->file_key();
  return {};
}

Result<Summary> Backup::run(const Key& key) {
  FH_TRY(check_before_backup(disk_, options_));
  FH_ASSIGN(lock_, os::lock_folder(layout_.root));
  FH_TRY(disk_.remove_tree(partial_));
  Checked expected;
  FH_TRY(write(key, expected));
  // From the disk, with the key that the header gives: what was written is what can be read.
  auto known = [&](std::string_view) -> Result<std::string> { return expected.file_key; };
  FH_ASSIGN(Checked read, read_archive(disk_, partial_, known, nullptr, options_.verified));
  if (read.digest != expected.digest) {
    return Error(ErrorCode::kCorrupt,
                 fmt::format("{} does not read as it was written: check the disk that it is on", partial_));
  }
  FH_TRY(disk_.rename(partial_, options_.file));
  FH_TRY(disk_.sync_directory(os::parent_path(options_.file)));
  return summary_;
}

}  // namespace

Result<void> check_before_backup(os::Disk& disk, const BackupOptions& options) {
  if (disk.exists(options.file) && !options.replace)
    return Error(ErrorCode::kConflict, fmt::format("{} is there already; --force replaces it", options.file));
  auto state = disk.info(options.layout.state_database());
  if (state) return {};
  if (state.error().code() != ErrorCode::kNotFound) return state.error();
  return Error(ErrorCode::kNotFound, fmt::format("there is no platform in {}", options.layout.root));
}

Result<Summary> back_up(os::Disk& disk, os::Random& random, WallTime now, const Key& key,
                        const BackupOptions& options) {
  return Backup(disk, random, now, options).run(key);
}

}  // namespace freehold::keep
