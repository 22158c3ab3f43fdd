#include "contents/materialise.h"

#include <fmt/core.h>

#include <set>

namespace freehold::contents {
namespace {

constexpr size_t kPiece = 256 << 10;

// Every folder that the entries need, without the root; a parent sorts before what is in it.
std::set<std::string> folders_of(const Manifest& manifest) {
  std::set<std::string> folders;
  for (const ManifestEntry& entry : manifest.entries) {
    if (entry.kind == Kind::kFolder) folders.insert(entry.path);
    for (std::string at = os::parent_path(entry.path); at != "." && folders.insert(at).second;)
      at = os::parent_path(at);
  }
  return folders;
}

Result<void> own(os::Disk& disk, const std::string& path, const Placement& placement) {
  if (!placement.owner && !placement.group) return {};
  constexpr auto kUnchanged = static_cast<uid_t>(-1);
  return disk.set_owner(path, placement.owner.value_or(kUnchanged), placement.group.value_or(kUnchanged));
}

Result<void> build_file(os::Disk& disk, const Contents& contents, const ManifestEntry& entry, const std::string& path,
                        const Placement& placement) {
  FH_ASSIGN(std::unique_ptr<os::WritableFile> file, disk.create(path, 0600));
  FH_TRY(own(disk, path, placement));
  FH_TRY(disk.set_mode(path, entry.executable ? placement.executable : placement.file));
  uint64_t size = 0;
  auto wrong_size = [&] {
    return Error(ErrorCode::kInvalid, fmt::format("{}: its content does not have the {} bytes that the manifest says",
                                                  entry.path, entry.size));
  };
  FH_TRY(contents.copy(entry.digest, [&](std::string_view piece) -> Result<void> {
    size += piece.size();
    if (size > entry.size) return wrong_size();
    return file->append(piece);
  }));
  if (size != entry.size) return wrong_size();
  return file->sync();
}

Result<void> build(os::Disk& disk, const Contents& contents, const Manifest& manifest, const std::string& root,
                   const Placement& placement) {
  std::set<std::string> folders = folders_of(manifest);
  auto make_folder = [&](const std::string& path) -> Result<void> {
    FH_TRY(disk.make_directories(path, 0700));
    FH_TRY(own(disk, path, placement));
    return disk.set_mode(path, placement.folder);
  };
  FH_TRY(make_folder(root));
  for (const std::string& folder : folders) FH_TRY(make_folder(os::join_path(root, folder)));
  for (const ManifestEntry& entry : manifest.entries) {
    std::string path = os::join_path(root, entry.path);
    if (entry.kind == Kind::kFile) FH_TRY(build_file(disk, contents, entry, path, placement));
    if (entry.kind == Kind::kLink) {
      FH_TRY(disk.make_symlink(entry.target, path));
      FH_TRY(own(disk, path, placement));
    }
  }
  for (const std::string& folder : folders) FH_TRY(disk.sync_directory(os::join_path(root, folder)));
  return disk.sync_directory(root);
}

// Compares a folder with what it should hold, stopping at the first difference.
class Comparison {
 public:
  Comparison(os::Disk& disk, const Manifest& manifest, const Placement& placement)
      : disk_(disk), placement_(placement), folders_(folders_of(manifest)), total_(manifest.entries.size()) {
    for (const ManifestEntry& entry : manifest.entries) entries_.emplace(entry.path, &entry);
    for (const std::string& folder : folders_) total_ += entries_.contains(folder) ? 0 : 1;
  }

  Result<bool> same(const std::string& root) {
    FH_ASSIGN(os::FileInfo info, disk_.info(root));
    if (!is_folder(info)) return false;
    FH_ASSIGN(bool inside, same_inside(root, ""));
    return inside && seen_ == total_;
  }

 private:
  bool is_owned(const os::FileInfo& info) const {
    return (!placement_.owner || info.owner == *placement_.owner) &&
           (!placement_.group || info.group == *placement_.group);
  }
  bool is_folder(const os::FileInfo& info) const {
    return info.kind == os::FileKind::kDirectory && info.mode == placement_.folder && is_owned(info);
  }

  Result<bool> same_inside(const std::string& folder, const std::string& prefix) {
    FH_ASSIGN(std::vector<os::FileInfo> inside, disk_.list(folder));
    for (const os::FileInfo& info : inside) {
      std::string path = prefix + info.name;
      ++seen_;
      FH_ASSIGN(bool equal, folders_.contains(path) ? same_folder(folder, path, info) : same_leaf(folder, path, info));
      if (!equal) return false;
    }
    return true;
  }

  Result<bool> same_folder(const std::string& folder, const std::string& path, const os::FileInfo& info) {
    if (!is_folder(info)) return false;
    return same_inside(os::join_path(folder, info.name), path + "/");
  }

  Result<bool> same_leaf(const std::string& folder, const std::string& path, const os::FileInfo& info) {
    auto found = entries_.find(path);
    if (found == entries_.end() || !is_owned(info)) return false;
    const ManifestEntry& entry = *found->second;
    std::string here = os::join_path(folder, info.name);
    if (entry.kind == Kind::kLink) {
      if (info.kind != os::FileKind::kSymlink) return false;
      FH_ASSIGN(std::string target, disk_.read_link(here));
      return target == entry.target;
    }
    mode_t mode = entry.executable ? placement_.executable : placement_.file;
    if (info.kind != os::FileKind::kFile || info.mode != mode || info.size != entry.size) return false;
    FH_ASSIGN(std::unique_ptr<os::ReadableFile> file, disk_.open(here));
    codec::Sha256 hash;
    for (uint64_t offset = 0;;) {
      FH_ASSIGN(std::string piece, file->read(offset, kPiece));
      if (piece.empty()) break;
      offset += piece.size();
      hash.update(piece);
    }
    return hash.finish_hex() == entry.digest;
  }

  os::Disk& disk_;
  const Placement& placement_;
  const std::set<std::string> folders_;
  size_t total_;  // entries that a right folder has, however deep
  size_t seen_ = 0;
  std::map<std::string, const ManifestEntry*> entries_;
};

}  // namespace

Result<bool> is_materialised(os::Disk& disk, const Manifest& manifest, const std::string& folder,
                             const Placement& placement) {
  return Comparison(disk, manifest, placement).same(folder);
}

Result<Outcome> materialise(os::Disk& disk, const Contents& contents, const Manifest& manifest,
                            const std::string& destination, const Placement& placement) {
  FH_TRY(check_manifest(manifest, {}));
  std::string above = os::parent_path(destination);
  bool there = disk.exists(destination);
  if (there) {
    FH_ASSIGN(bool right, is_materialised(disk, manifest, destination, placement));
    if (right) {
      // An earlier call may have failed between the rename and this.
      FH_TRY(disk.sync_directory(above));
      return Outcome::kKept;
    }
  }
  std::string fresh = destination + ".new";
  std::string old = destination + ".old";
  FH_TRY(disk.remove_tree(fresh));
  FH_TRY(disk.remove_tree(old));
  Result<void> built = build(disk, contents, manifest, fresh, placement);
  if (!built) {
    (void)disk.remove_tree(fresh).ok();
    return built.error();
  }
  if (there) FH_TRY(disk.rename(destination, old));
  FH_TRY(disk.rename(fresh, destination));
  FH_TRY(disk.sync_directory(above));
  FH_TRY(disk.remove_tree(old));
  return there ? Outcome::kReplaced : Outcome::kBuilt;
}

}  // namespace freehold::contents
