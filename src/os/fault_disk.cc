#include "os/fault_disk.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/text.h"
#include "os/fault_node.h"

namespace freehold::os {
namespace {

std::string last_component(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Error failed(std::string_view verb, const std::string& path, int number) {
  return errno_error(fmt::format("cannot {} {}", verb, path), number);
}

}  // namespace

class FaultDisk::Reader : public ReadableFile {
 public:
  Reader(NodePointer node, std::string path) : node_(std::move(node)), path_(std::move(path)) {}
  Result<std::string> read(uint64_t offset, size_t most) override {
    if (node_->kind != FileKind::kFile) return failed("read", path_, EISDIR);
    if (offset >= node_->bytes.size()) return std::string();
    return node_->bytes.substr(offset, most);
  }
  Result<FileInfo> info() override { return to_info(last_component(path_), *node_); }

 private:
  NodePointer node_;
  std::string path_;
};

class FaultDisk::Writer : public WritableFile {
 public:
  Writer(FaultDisk& disk, NodePointer node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)) {}
  Result<void> append(std::string_view bytes) override {
    FH_TRY(disk_.count_change());
    uint64_t fits = disk_.room_for(bytes.size());
    node_->bytes += bytes.substr(0, fits);
    node_->modified = disk_.now_;
    if (fits < bytes.size()) return failed("write", path_, ENOSPC);
    return {};
  }
  Result<void> sync() override {
    FH_TRY(disk_.count_change());
    node_->durable_bytes = node_->bytes;
    node_->pending.clear();
    return {};
  }

 private:
  FaultDisk& disk_;
  NodePointer node_;
  std::string path_;
};

FaultDisk::FaultDisk() : root_(make_node(FileKind::kDirectory, 0755)) {}

FaultDisk::NodePointer FaultDisk::make_node(FileKind kind, mode_t mode) {
  auto node = std::make_shared<Node>();
  node->kind = kind;
  node->mode = mode;
  node->modified = now_;
  node->inode = next_inode_++;
  nodes_.push_back(node);
  return node;
}

uint64_t FaultDisk::used() const {
  uint64_t sum = 0;
  for (const auto& weak : nodes_) {
    auto node = weak.lock();
    if (node) sum += node->bytes.size();
  }
  return sum;
}

void FaultDisk::fail_at(uint64_t change, Error error) {
  fail_at_ = change;
  failure_ = std::move(error);
}

void FaultDisk::crash_at(uint64_t change) { crash_at_ = change; }

void FaultDisk::make_room() {
  full_from_.reset();
  capacity_.reset();
}

uint64_t FaultDisk::room_for(uint64_t bytes) const {
  if (filled()) return bytes / 2;
  if (!capacity_) return bytes;
  uint64_t taken = used();
  return std::min(bytes, capacity_->count - std::min(taken, capacity_->count));
}

Result<void> FaultDisk::count_creation(const std::string& path) {
  FH_TRY(count_change());
  return filled() ? Result<void>(failed("create", path, ENOSPC)) : Result<void>();
}

Result<void> FaultDisk::count_change() {
  ++changes_;
  if (fail_at_ == changes_) return failure_;
  if (crashed()) return Error(ErrorCode::kUnavailable, "the process ended before this change");
  return {};
}

void FaultDisk::power_cut(Random* survival) {
  crash_at_.reset();
  fail_at_.reset();
  full_from_.reset();
  lose_unsynced(*root_, survival);
}

void FaultDisk::lose_unsynced(Node& node, Random* survival) {
  auto survives = [&] { return survival != nullptr && survival->below(2) == 0; };
  if (node.kind == FileKind::kFile && !node.pending.empty()) {
    node.lose_writes(survival);
  } else if (node.kind == FileKind::kFile && node.bytes != node.durable_bytes) {
    // Only what was appended can survive in part; a truncation that was not synced either happened or did not.
    bool grown = node.bytes.starts_with(node.durable_bytes);
    uint64_t lost = node.bytes.size() - std::min(node.bytes.size(), node.durable_bytes.size());
    if (grown && survival != nullptr) {
      node.bytes.resize(node.durable_bytes.size() + survival->below(lost + 1));
    } else if (!survives()) {
      node.bytes = node.durable_bytes;
    }
    node.durable_bytes = node.bytes;
  }
  if (node.kind != FileKind::kDirectory) return;
  std::set<std::string> names;
  for (const auto& [name, entry] : node.entries) names.insert(name);
  for (const auto& [name, entry] : node.durable_entries) names.insert(name);
  Entries after;
  for (const std::string& name : names) {
    auto live = node.entries.find(name);
    auto durable = node.durable_entries.find(name);
    bool same = live != node.entries.end() && durable != node.durable_entries.end() && live->second == durable->second;
    const Entries& from = same || survives() ? node.entries : node.durable_entries;
    if (auto kept = from.find(name); kept != from.end()) after.insert(*kept);
  }
  node.entries = node.durable_entries = std::move(after);
  for (const auto& [name, entry] : node.entries) lose_unsynced(*entry, survival);
}

Result<FaultDisk::NodePointer> FaultDisk::find(const std::string& path) const {
  if (!path.starts_with('/')) return Error(ErrorCode::kInvalid, fmt::format("{} is not absolute", path));
  NodePointer at = root_;
  for (std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    if (at->kind != FileKind::kDirectory) return failed("find", path, ENOTDIR);
    auto next = at->entries.find(std::string(part));
    if (next == at->entries.end()) return failed("find", path, ENOENT);
    at = next->second;
  }
  return at;
}

Result<FaultDisk::NodePointer> FaultDisk::find_folder(const std::string& path) const {
  FH_ASSIGN(NodePointer node, find(path));
  if (node->kind != FileKind::kDirectory) return failed("use as a folder", path, ENOTDIR);
  return node;
}

FileInfo FaultDisk::to_info(const std::string& name, const Node& node) {
  return {name, node.kind, node.mode, node.owner, node.group, node.bytes.size(), node.modified, 1, node.inode};
}

Result<std::string> FaultDisk::read(const std::string& path, Bytes limit) {
  FH_ASSIGN(NodePointer node, find(path));
  if (node->kind != FileKind::kFile) {
    return Error(ErrorCode::kInvalid, fmt::format("{} is not a regular file", path));
  }
  if (node->bytes.size() > limit.count) {
    return Error(ErrorCode::kExhausted, fmt::format("{} is larger than {}", path, format_short(limit)));
  }
  return node->bytes;
}

Result<std::unique_ptr<ReadableFile>> FaultDisk::open(const std::string& path) {
  FH_ASSIGN(NodePointer node, find(path));
  return std::make_unique<Reader>(std::move(node), path);
}

Result<std::unique_ptr<WritableFile>> FaultDisk::open_writable(const std::string& path, mode_t mode, bool truncate) {
  FH_ASSIGN(NodePointer folder, find_folder(parent_path(path)));
  FH_TRY(folder->entries.contains(last_component(path)) ? count_change() : count_creation(path));
  NodePointer& node = folder->entries[last_component(path)];
  if (node == nullptr) node = make_node(FileKind::kFile, mode);
  if (node->kind == FileKind::kDirectory) return failed("open", path, EISDIR);
  if (node->kind == FileKind::kSymlink) return failed("open", path, ELOOP);
  if (truncate) node->bytes.clear();
  return std::make_unique<Writer>(*this, node, path);
}

Result<std::unique_ptr<WritableFile>> FaultDisk::create(const std::string& path, mode_t mode) {
  return open_writable(path, mode, true);
}

Result<std::unique_ptr<WritableFile>> FaultDisk::open_append(const std::string& path, mode_t mode) {
  return open_writable(path, mode, false);
}

Result<FileInfo> FaultDisk::info(const std::string& path) {
  FH_ASSIGN(NodePointer node, find(path));
  return to_info(last_component(path), *node);
}

Result<std::vector<FileInfo>> FaultDisk::list(const std::string& path) {
  FH_ASSIGN(NodePointer folder, find_folder(path));
  std::vector<FileInfo> out;
  for (const auto& [name, node] : folder->entries) out.push_back(to_info(name, *node));
  return out;
}

Result<std::string> FaultDisk::read_link(const std::string& path) {
  FH_ASSIGN(NodePointer node, find(path));
  if (node->kind != FileKind::kSymlink) return failed("read the link", path, EINVAL);
  return node->bytes;
}

Result<void> FaultDisk::make_symlink(const std::string& target, const std::string& path) {
  FH_TRY(count_creation(path));
  FH_ASSIGN(NodePointer folder, find_folder(parent_path(path)));
  NodePointer& node = folder->entries[last_component(path)];
  if (node != nullptr) return failed("create the link", path, EEXIST);
  node = make_node(FileKind::kSymlink, 0777);
  node->bytes = node->durable_bytes = target;
  return {};
}

Result<void> FaultDisk::rename(const std::string& from, const std::string& to) {
  FH_TRY(count_change());
  FH_ASSIGN(NodePointer node, find(from));
  FH_ASSIGN(NodePointer source, find_folder(parent_path(from)));
  FH_ASSIGN(NodePointer target, find_folder(parent_path(to)));
  auto there = target->entries.find(last_component(to));
  if (there != target->entries.end() && there->second != node) {
    const Node& old = *there->second;
    if (old.kind == FileKind::kDirectory && node->kind != FileKind::kDirectory) return failed("rename to", to, EISDIR);
    if (old.kind != FileKind::kDirectory && node->kind == FileKind::kDirectory) return failed("rename to", to, ENOTDIR);
    if (!old.entries.empty()) return failed("rename to", to, ENOTEMPTY);
  }
  source->entries.erase(last_component(from));
  target->entries[last_component(to)] = node;
  return {};
}

Result<void> FaultDisk::remove(const std::string& path) {
  FH_TRY(count_change());
  FH_ASSIGN(NodePointer node, find(path));
  if (!node->entries.empty()) return failed("remove", path, ENOTEMPTY);
  FH_ASSIGN(NodePointer folder, find_folder(parent_path(path)));
  folder->entries.erase(last_component(path));
  return {};
}

Result<void> FaultDisk::make_directories(const std::string& path, mode_t mode) {
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    std::string prefix = path.substr(0, at);
    if (auto there = find(prefix)) {
      if ((*there)->kind != FileKind::kDirectory) return failed("create the directory", prefix, EEXIST);
      continue;
    }
    FH_TRY(count_creation(prefix));
    FH_ASSIGN(NodePointer folder, find_folder(parent_path(prefix)));
    folder->entries[last_component(prefix)] = make_node(FileKind::kDirectory, mode);
  }
  return {};
}

Result<void> FaultDisk::sync_directory(const std::string& path) {
  FH_TRY(count_change());
  FH_ASSIGN(NodePointer folder, find_folder(path));
  folder->durable_entries = folder->entries;
  return {};
}

Result<void> FaultDisk::set_mode(const std::string& path, mode_t mode) {
  FH_TRY(count_change());
  FH_ASSIGN(NodePointer node, find(path));
  node->mode = mode;
  return {};
}

Result<void> FaultDisk::set_owner(const std::string& path, uid_t owner, gid_t group) {
  FH_TRY(count_change());
  FH_ASSIGN(NodePointer node, find(path));
  node->owner = owner;
  node->group = group;
  return {};
}

Result<Bytes> FaultDisk::free_space(const std::string&) {
  if (!capacity_) return Bytes{UINT64_MAX};
  return Bytes{capacity_->count - std::min(used(), capacity_->count)};
}

}  // namespace freehold::os
