#include "os/cgroup.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/text.h"
#include "os/cgroup_files.h"
#include "os/disk.h"

namespace freehold::os {
namespace {

using namespace cgroup_files;

constexpr std::array<std::string_view, 4> kControllers = {"memory", "cpu", "cpuacct", "pids"};
constexpr Bytes kMostMounts = Bytes{4 << 20};

// The path of our own group in a hierarchy: "N:memory:/path", "0::/path" for v2.
std::string own_path(std::string_view text, std::string_view controller) {
  for (std::string_view line : split(text, '\n')) {
    size_t first = line.find(':');
    size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    std::string_view names = line.substr(first + 1, second - first - 1);
    bool wanted = controller.empty() && names.empty();
    for (std::string_view name : split(names, ',')) wanted = wanted || (!controller.empty() && name == controller);
    if (wanted) return std::string(line.substr(second + 1));
  }
  return "/";
}

// A group that systemd or a container manager has given to us says so in an attribute.
bool is_delegated(const std::string& directory) {
  char value[8];
  for (const char* name : {"trusted.delegate", "user.delegate"}) {
    if (getxattr(directory.c_str(), name, value, sizeof value) == 1 && value[0] == '1') return true;
  }
  return false;
}

bool can_manage(const std::string& directory) {
  return access(directory.c_str(), W_OK) == 0 && access(join_path(directory, "cgroup.procs").c_str(), W_OK) == 0;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

std::vector<std::string> Cgroup::directories() const {
  std::set<std::string> all;
  if (!unified.empty()) all.insert(unified);
  for (const auto& [controller, directory] : controllers) all.insert(directory);
  return {all.begin(), all.end()};
}

std::vector<std::string> Cgroup::join_files() const {
  std::vector<std::string> files = directories();
  for (std::string& file : files) file = join_path(file, "cgroup.procs");
  return files;
}

std::string Cgroup::kill_file() const {
  std::string file = unified.empty() ? "" : join_path(unified, "cgroup.kill");
  return !file.empty() && access(file.c_str(), F_OK) == 0 ? file : "";
}

std::string Cgroup::oom_file() const {
  auto found = controllers.find("memory");
  if (found == controllers.end()) return "";
  return join_path(found->second, found->second == unified ? "memory.events" : "memory.oom_control");
}

CgroupTree CgroupTree::find(std::string_view name, const Ground& ground) {
  CgroupTree tree;
  tree.name_ = name.empty() ? "freehold" : name;  // never the hierarchy itself
  auto mounts = system_disk().read(ground.mounts, kMostMounts);
  auto own = system_disk().read(ground.own, Bytes{1 << 20});
  if (mounts && own) {
    for (std::string_view line : split(*mounts, '\n')) {
      // "id parent dev root mountpoint options [optional ...] - type source options", see proc(5).
      size_t dash = line.find(" - ");
      if (dash == std::string_view::npos) continue;
      auto before = split(line.substr(0, dash), ' ');
      auto after = split(line.substr(dash + 3), ' ');
      if (before.size() < 6 || after.size() < 3) continue;
      std::string mount(before[4]);
      if (after[0] == "cgroup2") tree.find_unified(mount, own_path(*own, ""), ground.delegated);
      if (after[0] == "cgroup") tree.find_legacy(mount, *own, after[2]);
    }
  }
  if (tree.unified_base_.empty() && tree.bases_.empty()) {
    tree.problems_.push_back(
        "there is no control group that may be used here: limits on cpu, memory and processes are not enforced");
    return tree;
  }
  for (std::string_view controller : {"cpu", "memory", "pids"}) {
    if (!tree.has(controller))
      tree.problems_.push_back(fmt::format(
          "the controller '{}' of control groups is not available here: its limits are not enforced", controller));
  }
  return tree;
}

void CgroupTree::find_unified(const std::string& mount, const std::string& own, const std::string& delegated) {
  if (!unified_base_.empty()) return;
  if (!delegated.empty()) {
    if (can_manage(mount + delegated)) unified_base_ = mount + delegated;
  } else {
    find_base(mount, own);
  }
  if (unified_base_.empty()) return;
  auto available = read_file(join_path(unified_base_, "cgroup.controllers"));
  if (!available) return;
  for (std::string_view controller : split(trim(*available), ' ')) {
    if (std::ranges::find(kControllers, controller) != kControllers.end())
      bases_.insert_or_assign(std::string(controller), unified_base_);
  }
}

void CgroupTree::find_base(const std::string& mount, const std::string& own) {
  // The nearest group above us that was delegated; else the top, which only root may use; else our own if we may.
  std::string own_directory = without_slash(mount + own);
  for (std::string at = own_directory; at.size() > mount.size(); at = parent_path(at)) {
    if (!is_delegated(at) || !can_manage(at)) continue;
    unified_base_ = at;
    break;
  }
  if (unified_base_.empty() && can_manage(mount)) unified_base_ = mount;
  if (unified_base_.empty() && can_manage(own_directory)) unified_base_ = own_directory;
}

void CgroupTree::find_legacy(const std::string& mount, const std::string& own, std::string_view options) {
  for (std::string_view controller : split(options, ',')) {
    if (std::ranges::find(kControllers, controller) == kControllers.end()) continue;
    std::string own_directory = without_slash(mount + own_path(own, controller));
    if (can_manage(mount)) {
      bases_.emplace(controller, mount);
    } else if (can_manage(own_directory)) {
      bases_.emplace(controller, own_directory);
    }
  }
}

Cgroup CgroupTree::group(std::string_view name) const {
  Cgroup group;
  group.name = name;
  std::string below = fmt::format("{}/{}", name_, name);
  if (!unified_base_.empty()) group.unified = join_path(unified_base_, below);
  for (const auto& [controller, base] : bases_) group.controllers[controller] = join_path(base, below);
  return group;
}

// Where processes are, v2 enables no controllers for groups below: memory is refused, cpu and pids make them threaded
// groups, which nothing can join. So those of a unit that was given to us go into a leaf beside ours. The top alone,
// which has no type, may have both.
void CgroupTree::make_room(const std::string& directory) {
  if (access(join_path(directory, "cgroup.type").c_str(), F_OK) != 0 || processes(directory).empty()) return;
  if (!move_to_leaf(directory, "freehold-agent"))
    problems_.push_back(fmt::format("processes in the control group {} cannot be moved out of the way", directory));
}

void CgroupTree::enable_controllers(const std::string& directory) {
  make_room(directory);
  for (std::string_view controller : {"cpu", "memory", "pids"}) {
    auto base = bases_.find(std::string(controller));
    if (base == bases_.end() || base->second != unified_base_) continue;
    std::string file = join_path(directory, "cgroup.subtree_control");
    std::string value = fmt::format("+{}", controller);
    int error = write_file(file, value);
    if (error == 0) continue;
    problems_.push_back(
        errno_error(fmt::format("limits on {} are not enforced: cannot enable it in {}", controller, directory), error)
            .message());
    bases_.erase(base);
  }
}

Result<void> CgroupTree::make_root() {
  if (made_) return {};
  if (!unified_base_.empty()) enable_controllers(unified_base_);
  std::vector<std::string> parts;
  for (std::string_view part : split(name_, '/')) {
    parts.emplace_back(part);
    std::string below = join(parts, "/");
    std::set<std::string> bases;
    for (const auto& [controller, base] : bases_) bases.insert(base);
    if (!unified_base_.empty()) bases.insert(unified_base_);
    for (const std::string& base : bases) {
      std::string directory = join_path(base, below);
      if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
        return errno_error(fmt::format("cannot make the control group {}", directory), errno);
    }
    if (!unified_base_.empty()) enable_controllers(join_path(unified_base_, below));
  }
  made_ = true;
  return {};
}

Result<CgroupTree::Created> CgroupTree::create(std::string_view name, const GroupLimits& limits) {
  FH_TRY(make_root());
  Created created{group(name), {}};
  if (!is_empty(created.group))
    return Error(ErrorCode::kConflict, fmt::format("the control group {} still has processes in it", name));
  FH_TRY(remove(created.group));
  for (const std::string& directory : created.group.directories()) {
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
      return errno_error(fmt::format("cannot make the control group {}", directory), errno);
  }
  for (const LimitFile& limit : limit_files(limits, created.group)) {
    auto directory = created.group.controllers.find(std::string(limit.controller));
    if (directory == created.group.controllers.end()) {
      // A limit may take several files; its lack is told once.
      std::string lack =
          fmt::format("the limit on {} is not enforced: this machine offers no control group for it", limit.controller);
      if (std::ranges::find(created.problems, lack) == created.problems.end()) created.problems.push_back(lack);
      continue;
    }
    int error = write_file(join_path(directory->second, limit.file), limit.value);
    if (error != 0 && limit.required)
      created.problems.push_back(
          errno_error(fmt::format("the limit on {} is not enforced: {}", limit.controller, limit.file), error)
              .message());
  }
  return created;
}

Result<void> CgroupTree::move(pid_t pid, std::string_view name) {
  FH_TRY(make_root());
  for (const std::string& directory : group(name).directories()) {
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
      return errno_error(fmt::format("cannot make the control group {}", directory), errno);
    int error = write_file(join_path(directory, "cgroup.procs"), fmt::format("{}", pid));
    if (error != 0) return errno_error(fmt::format("cannot move process {} into {}", pid, directory), error);
  }
  return {};
}

std::vector<std::string> CgroupTree::list() const {
  std::set<std::string> names;
  Cgroup root = group("");
  for (const std::string& directory : root.directories()) {
    auto entries = system_disk().list(directory);
    if (!entries) continue;
    for (const FileInfo& entry : *entries) {
      if (entry.kind == FileKind::kDirectory) names.insert(entry.name);
    }
  }
  return {names.begin(), names.end()};
}

Result<void> CgroupTree::remove_root() {
  made_ = false;
  return remove(group(""));
}

}  // namespace freehold::os
