#include "os/fault_file.h"

#include <fmt/core.h>

#include <cerrno>

#include "os/fault_node.h"

namespace freehold::os {
namespace {

constexpr uint64_t kSector = 512;

void overwrite(std::string& bytes, uint64_t offset, std::string_view written) {
  if (bytes.size() < offset + written.size()) bytes.resize(offset + written.size());
  bytes.replace(offset, written.size(), written);
}

}  // namespace

std::string FaultFile::read(uint64_t offset, size_t most) const {
  return offset < node_->bytes.size() ? node_->bytes.substr(offset, most) : std::string();
}

uint64_t FaultFile::size() const { return node_->bytes.size(); }

Result<void> FaultFile::write(uint64_t offset, std::string_view bytes) {
  FH_TRY(disk_.count_change());
  std::string_view fits = bytes.substr(0, disk_.room_for(bytes.size()));
  overwrite(node_->bytes, offset, fits);
  node_->pending.push_back({offset, std::string(fits), false});
  if (fits.size() < bytes.size()) return errno_error(fmt::format("cannot write {}", path_), ENOSPC);
  return {};
}

Result<void> FaultFile::truncate(uint64_t size) {
  FH_TRY(disk_.count_change());
  node_->bytes.resize(size);
  node_->pending.push_back({size, {}, true});
  return {};
}

Result<void> FaultFile::sync() {
  FH_TRY(disk_.count_change());
  node_->durable_bytes = node_->bytes;
  node_->pending.clear();
  return {};
}

void FaultDisk::Node::lose_writes(Random* survival) {
  for (const Pending& change : pending) {
    if (survival == nullptr) break;
    if (change.truncates) {
      if (survival->below(2) == 0) durable_bytes.resize(change.offset);
      continue;
    }
    std::string_view rest = change.written;
    for (uint64_t at = change.offset; !rest.empty();) {
      uint64_t length = std::min<uint64_t>(rest.size(), kSector - at % kSector);
      if (survival->below(2) == 0) overwrite(durable_bytes, at, rest.substr(0, length));
      at += length;
      rest.remove_prefix(length);
    }
  }
  pending.clear();
  bytes = durable_bytes;
}

Result<std::unique_ptr<FaultFile>> FaultDisk::open_anywhere(const std::string& path, mode_t mode) {
  NodePointer node;
  if (path.empty()) {
    node = make_node(FileKind::kFile, mode);
  } else if (auto there = find(path)) {
    node = *there;
  } else {
    FH_TRY(open_writable(path, mode, false));
    FH_ASSIGN(node, find(path));
  }
  if (node->kind != FileKind::kFile) return Error(ErrorCode::kInvalid, fmt::format("{} is not a regular file", path));
  return std::unique_ptr<FaultFile>(new FaultFile(*this, std::move(node), path));
}

}  // namespace freehold::os
