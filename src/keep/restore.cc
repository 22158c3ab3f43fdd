#include "keep/restore.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "keep/owner_map.h"
#include "model/layout.h"
#include "os/lock.h"

namespace freehold::keep {
namespace {

using os::TreeBuilder;

constexpr std::string_view kBeside = ".restoring";

bool is_free(os::Disk& disk, const std::string& path) {
  auto info = disk.info(path);
  if (!info) return info.error().code() == ErrorCode::kNotFound;
  auto entries = disk.list(path);
  return info->kind == os::FileKind::kDirectory && entries && entries->empty();
}

// Who can make a backup can write its summary, and this is done as root.
Result<void> check_volume(const KeptVolume& volume) {
  auto is_part = [](std::string_view text) {
    return !text.empty() && text != "." && text != ".." &&
           text.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
  };
  bool right = is_part(volume.service) && is_part(volume.name);
  if (!volume.path.empty()) {
    right = right && volume.path.size() > 1 && volume.path.starts_with('/') &&
            std::ranges::all_of(split(std::string_view(volume.path).substr(1), '/'), is_part);
  }
  if (right) return {};
  return Error(ErrorCode::kCorrupt, "this is no backup that Freehold made: a volume in it has no proper place");
}

// One folder that is built beside its place.
struct Site {
  std::string place;
  std::string beside;
  std::string prefix;  // of the members that it takes: "state", "volumes/web/data"
  os::Fd lock;
  std::unique_ptr<TreeBuilder> builder;
};

class Restore : public TarReader::Handler {
 public:
  Restore(os::Disk& disk, const Summary& summary, const RestoreOptions& options)
      : disk_(disk), summary_(summary), options_(options), layout_{options.state + std::string(kBeside)} {}
  ~Restore() override {
    for (const Site& site : sites_) (void)disk_.remove_tree(site.beside).ok();
  }
  Restore(const Restore&) = delete;

  Result<void> prepare();
  Result<void> finish();

  Result<void> on_member(const Member& given) override;
  Result<void> on_data(std::string_view bytes) override { return current_->builder->write(bytes); }
  Result<void> on_member_end() override { return {}; }

 private:
  Result<void> add_site(const std::string& place, std::string prefix);
  Result<void> make_state_folders();
  // The path below a site of a member's name; nothing if it is none of its.
  static std::optional<std::string> below(const Site& site, std::string_view path);

  os::Disk& disk_;
  const Summary& summary_;
  const RestoreOptions& options_;
  model::Layout layout_;     // of the state, beside its place
  std::vector<Site> sites_;  // the state first
  Site* current_ = nullptr;
  OwnerMap owners_;
};

Result<void> Restore::add_site(const std::string& place, std::string prefix) {
  if (!is_free(disk_, place)) {
    return Error(ErrorCode::kConflict,
                 fmt::format("there is something at {}: nothing is restored over it; move it away first", place));
  }
  Site site;
  site.place = place;
  site.beside = place + std::string(kBeside);
  site.prefix = std::move(prefix);
  FH_TRY(disk_.make_directories(os::parent_path(place), 0755));
  FH_TRY(disk_.make_directories(site.beside, 0700));
  FH_ASSIGN(site.lock, os::lock_folder(site.beside));
  // What an interrupted one left. Its lock is gone with it.
  FH_ASSIGN(std::vector<os::FileInfo> left, disk_.list(site.beside));
  for (const os::FileInfo& entry : left) FH_TRY(disk_.remove_tree(os::join_path(site.beside, entry.name)));
  sites_.push_back(std::move(site));
  TreeBuilder::Owners owners = geteuid() == 0 ? TreeBuilder::Owners::kAsGiven : TreeBuilder::Owners::kOurs;
  FH_ASSIGN(sites_.back().builder, TreeBuilder::open(sites_.back().beside, owners));
  return {};
}

// Those that others pass through; the agent makes all the rest.
Result<void> Restore::make_state_folders() {
  FH_TRY(disk_.set_mode(layout_.root, 0755));
  std::vector<std::string> folders = {layout_.agent(), layout_.volumes()};
  for (const KeptVolume& volume : summary_.volumes) {
    if (volume.path.empty()) folders.push_back(os::join_path(layout_.volumes(), volume.service));
  }
  for (const std::string& folder : folders) {
    FH_TRY(disk_.make_directories(folder, 0711));
    FH_TRY(disk_.set_mode(folder, 0711));
  }
  return {};
}

Result<void> Restore::prepare() {
  for (const KeptVolume& volume : summary_.volumes) FH_TRY(check_volume(volume));
  FH_TRY(add_site(options_.state, std::string(names::kState)));
  for (const KeptVolume& volume : summary_.volumes) {
    if (volume.path.empty()) continue;
    FH_TRY(add_site(volume.path, fmt::format("{}/{}/{}", names::kVolumes, volume.service, volume.name)));
  }
  FH_TRY(make_state_folders());
  if (geteuid() != 0) return {};
  // Registered where it is now: a block of ids whose owner is not there may be given to somebody else.
  FH_ASSIGN(owners_, OwnerMap::open(disk_, summary_, options_.registry, layout_.user_ids(), layout_.root));
  return {};
}

std::optional<std::string> Restore::below(const Site& site, std::string_view path) {
  if (!path.starts_with(site.prefix)) return std::nullopt;
  path.remove_prefix(site.prefix.size());
  if (path.empty()) return "";
  if (!path.starts_with('/')) return std::nullopt;
  return std::string(path.substr(1));
}

Result<void> Restore::on_member(const Member& given) {
  Member member = given;
  FH_TRY(owners_.apply(member));
  os::TreeEntry entry = std::move(member.entry);
  bool links = entry.kind == os::TreeKind::kHardLink;
  std::optional<std::string> path, target;
  for (Site& site : sites_) {
    path = below(site, entry.path);
    target = below(site, entry.target);
    current_ = &site;
    if (path) break;
  }
  // Volumes of the platform's own lie in the state directory under the same names.
  if (!path) {
    current_ = &sites_.front();
    path = entry.path;
    target = entry.target;
  }
  if (links && !target) return Error(ErrorCode::kCorrupt, fmt::format("{} is a link out of its volume", entry.path));
  entry.path = *path;
  if (links) entry.target = *target;
  return current_->builder->add(entry);
}

Result<void> Restore::finish() {
  for (Site& site : sites_) {
    FH_TRY(site.builder->finish());
    FH_TRY(site.builder->sync());
  }
  for (auto site = sites_.rbegin(); site != sites_.rend(); ++site) {
    FH_TRY(disk_.rename(site->beside, site->place));
    FH_TRY(disk_.sync_directory(os::parent_path(site->place)));
  }
  if (geteuid() != 0) return {};
  // It has moved, and its ids with it. If that cannot be written now, the agent does the same when it starts.
  std::string ids = model::Layout{options_.state}.user_ids();
  (void)os::UserRange::open(disk_, options_.registry, ids, options_.state).ok();
  return {};
}

}  // namespace

Result<Checked> check_backup(os::Disk& disk, const std::string& file, const Key& key, const Progress& progress) {
  return read_archive(disk, file, AgeReader::opener(key), nullptr, progress);
}

Result<void> restore(os::Disk& disk, const std::string& file, const Checked& checked, const RestoreOptions& options) {
  Restore work(disk, checked.summary, options);
  FH_TRY(work.prepare());
  auto known = [&](std::string_view) -> Result<std::string> { return checked.file_key; };
  FH_ASSIGN(Checked again, read_archive(disk, file, known, &work, options.progress));
  if (again.digest != checked.digest)
    return Error(ErrorCode::kCorrupt, fmt::format("{} is another file than a moment ago: nothing was restored", file));
  return work.finish();
}

}  // namespace freehold::keep
