#include "contents/capture.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>

#include "base/text.h"

namespace freehold::contents {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr int kMostLinks = 40;  // followed for one path, as the kernel does

Error changed(const std::string& path) {
  return Error(ErrorCode::kConflict,
               fmt::format("{} changed while it was read: try again when nothing writes to it", path));
}

// Reads a whole regular file, and makes sure that it stood still meanwhile, as far as its size and time tell.
Result<uint64_t> read_still(os::Disk& disk, const std::string& path, const Sink& sink) {
  FH_ASSIGN(std::unique_ptr<os::ReadableFile> file, disk.open(path));
  FH_ASSIGN(os::FileInfo before, file->info());
  if (before.kind != os::FileKind::kFile) return changed(path);
  uint64_t offset = 0;
  for (;;) {
    FH_ASSIGN(std::string piece, file->read(offset, kPiece));
    if (piece.empty()) break;
    offset += piece.size();
    FH_TRY(sink(piece));
  }
  FH_ASSIGN(os::FileInfo after, file->info());
  if (after.size != before.size || after.modified != before.modified || offset != before.size) return changed(path);
  return offset;
}

class Walk {
 public:
  Walk(os::Disk& disk, const std::string& base, const Limits& limits) : disk_(disk), base_(base), limits_(limits) {}

  Result<void> take(const std::string& path) {
    FH_ASSIGN(std::string real, resolve(path == "." ? "" : path));
    return visit(real.empty() ? base_ : os::join_path(base_, real), path == "." ? "" : path);
  }

  Result<Capture> finish() {
    for (const auto& [path, entry] : entries_) {
      if (entry.kind == Kind::kLink) FH_TRY(check_link(entry));
    }
    for (auto& [path, entry] : entries_) capture_.manifest.entries.push_back(std::move(entry));
    FH_TRY(check_manifest(capture_.manifest, limits_));
    return std::move(capture_);
  }

 private:
  // Follows the links of a path that the file names; gives the path without them, from base.
  Result<std::string> resolve(std::string_view path) {
    std::vector<std::string> done;
    std::deque<std::string> left;
    for (std::string_view part : split(path, '/')) left.emplace_back(part);
    auto outside = [&] {
      return Error(ErrorCode::kInvalid,
                   fmt::format("{} leads out of {}: put a copy of what it leads to inside", path, base_));
    };
    for (int links = 0; !left.empty();) {
      std::string part = std::move(left.front());
      left.pop_front();
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        if (done.empty()) return outside();
        done.pop_back();
        continue;
      }
      std::string here = os::join_path(base_, join(done, "/"));
      std::string at = os::join_path(here, part);
      FH_ASSIGN(os::FileInfo info, disk_.info(at));
      if (info.kind != os::FileKind::kSymlink) {
        done.push_back(std::move(part));
        continue;
      }
      if (++links > kMostLinks)
        return Error(ErrorCode::kInvalid, fmt::format("{} leads through links without end", path));
      FH_ASSIGN(std::string target, disk_.read_link(at));
      if (target.starts_with('/')) return outside();
      std::vector<std::string_view> parts = split(target, '/');
      left.insert(left.begin(), parts.begin(), parts.end());
    }
    return join(done, "/");
  }

  Result<void> visit(const std::string& source, const std::string& path) {
    FH_ASSIGN(os::FileInfo info, disk_.info(source));
    if (!path.empty()) FH_TRY(check_name(path));
    switch (info.kind) {
      case os::FileKind::kFile:
        return take_file(source, path, info);
      case os::FileKind::kDirectory:
        return take_folder(source, path);
      case os::FileKind::kSymlink: {
        FH_ASSIGN(std::string target, disk_.read_link(source));
        FH_TRY(resolve_link(path, target));
        return add({.path = path, .kind = Kind::kLink, .target = target});
      }
      case os::FileKind::kOther:
        break;
    }
    return Error(
        ErrorCode::kInvalid,
        fmt::format("{} is a device, a socket or a FIFO: it cannot be taken along; remove it from there", source));
  }

  Result<void> check_name(const std::string& path) {
    FH_TRY(check_path(path, limits_));
    // The manifest is JSON, which can hold no other bytes.
    auto again = codec::Json::parse(codec::Json(path).dump());
    if (!again || again->as_string() != path) {
      return Error(ErrorCode::kInvalid, fmt::format("{} is not named in UTF-8: rename it", codec::Json(path).dump()));
    }
    return {};
  }

  Result<void> add(ManifestEntry entry) {
    if (entries_.size() >= limits_.entries) {
      return Error(ErrorCode::kExhausted,
                   fmt::format("{} has more than {} files to take along", base_, limits_.entries));
    }
    std::string path = entry.path;
    entries_.insert_or_assign(std::move(path), std::move(entry));
    return {};
  }

  Result<void> take_file(const std::string& source, const std::string& path, const os::FileInfo& info) {
    codec::Sha256 hash;
    FH_ASSIGN(uint64_t size, read_still(disk_, source, [&](std::string_view piece) -> Result<void> {
                if (piece.size() > limits_.total.count - total_) {
                  return Error(ErrorCode::kExhausted,
                               fmt::format("what {} points at is larger than {}", base_, format_short(limits_.total)));
                }
                total_ += piece.size();
                hash.update(piece);
                return {};
              }));
    std::string digest = hash.finish_hex();
    capture_.sources.insert_or_assign(digest, source);
    return add({.path = path,
                .kind = Kind::kFile,
                .executable = (info.mode & 0100) != 0,
                .size = size,
                .digest = std::move(digest)});
  }

  Result<void> take_folder(const std::string& source, const std::string& path) {
    FH_ASSIGN(std::vector<os::FileInfo> inside, disk_.list(source));
    if (inside.empty() && !path.empty()) return add({.path = path, .kind = Kind::kFolder});
    for (const os::FileInfo& info : inside) {
      FH_TRY(visit(os::join_path(source, info.name), path.empty() ? info.name : os::join_path(path, info.name)));
    }
    return {};
  }

  // What a link leads to must come along, unless it leads nowhere already.
  Result<void> check_link(const ManifestEntry& link) {
    FH_ASSIGN(std::string target, resolve_link(link.path, link.target));
    if (target.empty() || entries_.contains(target)) return {};
    auto below = entries_.lower_bound(target + "/");
    if (below != entries_.end() && below->first.starts_with(target + "/")) return {};
    for (std::string parent = os::parent_path(target); parent != "."; parent = os::parent_path(parent)) {
      auto through = entries_.find(parent);
      if (through != entries_.end() && through->second.kind == Kind::kLink) return {};
    }
    if (!disk_.exists(os::join_path(base_, target))) return {};
    return Error(ErrorCode::kInvalid,
                 fmt::format("{}: the link leads to {}, which is not taken along: replace it by what "
                             "it leads to",
                             link.path, target));
  }

  os::Disk& disk_;
  const std::string& base_;
  const Limits& limits_;
  std::map<std::string, ManifestEntry> entries_;
  uint64_t total_ = 0;
  Capture capture_;
};

}  // namespace

Result<Capture> capture(os::Disk& disk, const std::string& base, std::span<const std::string> paths,
                        const Limits& limits) {
  Walk walk(disk, base, limits);
  for (const std::string& path : paths) {
    if (path != ".") FH_TRY(check_path(path, limits));
    // What lies in another that is named comes with that one.
    bool within = std::ranges::any_of(paths, [&](const std::string& other) {
      return path != other && (other == "." || path.starts_with(other + "/"));
    });
    if (!within) FH_TRY(walk.take(path));
  }
  return walk.finish();
}

Result<void> read_captured(os::Disk& disk, const Capture& capture, std::string_view digest, const Sink& sink) {
  auto source = capture.sources.find(digest);
  if (source == capture.sources.end()) {
    return Error(ErrorCode::kNotFound, fmt::format("no captured file has the digest {}", digest));
  }
  codec::Sha256 hash;
  FH_TRY(read_still(disk, source->second, [&](std::string_view piece) {
    hash.update(piece);
    return sink(piece);
  }));
  if (hash.finish_hex() != digest) return changed(source->second);
  return {};
}

}  // namespace freehold::contents
