#include "agent/releases.h"

#include "base/log.h"
#include "contents/manifest.h"
#include "contents/materialise.h"

namespace freehold::agent {
namespace {

constexpr Bytes kLargestManifest{64 << 20};

}  // namespace

Result<void> Releases::build(const std::string& digest, const std::string& folder, std::optional<gid_t> group) {
  // Compared byte by byte once per agent, not at each restart of an instance: nobody but us may write there.
  if (built_.contains(folder) && disk_.exists(folder)) return {};
  FH_ASSIGN(std::string text, contents_.read(digest, kLargestManifest));
  FH_ASSIGN(contents::Manifest manifest, contents::Manifest::parse(text, {}));
  contents::Placement placement;
  if (group) {
    placement.group = group;
    placement.file = 0640;
    placement.executable = placement.folder = 0750;
  }
  FH_TRY(disk_.make_directories(os::parent_path(folder), 0711));
  FH_TRY(contents::materialise(disk_, contents_, manifest, folder, placement));
  built_.insert(folder);
  return {};
}

Result<std::string> Releases::service_folder(const std::string& service, const std::string& digest,
                                             std::optional<gid_t> group) {
  std::string folder = releases_ + "/" + service + "/" + digest;
  auto built = build(digest, folder, group);
  if (!built) return built.error().with_context("the files of service " + service);
  return folder;
}

Result<void> Releases::static_folder(const std::string& digest) {
  return build(digest, files_ + "/" + digest, std::nullopt);
}

void Releases::collect(const std::set<std::string>& digests_in_use) {
  auto remove_unused = [&](const std::string& folder) {
    auto entries = disk_.list(folder);
    if (!entries) return;
    for (const os::FileInfo& entry : *entries) {
      if (digests_in_use.contains(entry.name)) continue;
      std::string path = os::join_path(folder, entry.name);
      built_.erase(path);
      auto removed = disk_.remove_tree(path);
      if (!removed) log_warning("agent", "an old release was not removed: {}", removed.error().message());
    }
  };
  remove_unused(files_);
  auto services = disk_.list(releases_);
  if (!services) return;
  for (const os::FileInfo& service : *services) remove_unused(os::join_path(releases_, service.name));
}

}  // namespace freehold::agent
