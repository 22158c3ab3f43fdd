#include "contents/manifest.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "codec/hash.h"

namespace freehold::contents {
namespace {

constexpr size_t kMostPathBytes = 4095;
constexpr size_t kMostNameBytes = 255;

Error wrong(std::string_view path, std::string_view why) {
  return Error(ErrorCode::kInvalid, fmt::format("{}: {}", path, why));
}

Result<void> check_entry(const ManifestEntry& entry, const Limits& limits) {
  FH_TRY(check_path(entry.path, limits));
  if (entry.kind == Kind::kFile && !codec::is_sha256_hex(entry.digest)) {
    return wrong(entry.path, "its digest is not 64 lower-case hexadecimal digits");
  }
  if (entry.kind != Kind::kFile && (!entry.digest.empty() || entry.size != 0 || entry.executable)) {
    return wrong(entry.path, "only a file has a digest, a size and may be executable");
  }
  if (entry.kind == Kind::kLink) FH_TRY(resolve_link(entry.path, entry.target));
  if (entry.kind != Kind::kLink && !entry.target.empty()) return wrong(entry.path, "only a link has a target");
  return {};
}

}  // namespace

std::string Manifest::canonical() const { return codec::to_json(*this).dump(); }

std::string Manifest::digest() const { return codec::sha256_hex(canonical()); }

uint64_t Manifest::total_size() const {
  uint64_t total = 0;
  for (const ManifestEntry& entry : entries) total += entry.size;
  return total;
}

Result<void> check_path(std::string_view path, const Limits& limits) {
  if (path.empty()) return Error(ErrorCode::kInvalid, "a path is empty");
  if (path.size() > kMostPathBytes) return wrong(path.substr(0, 80), "the path is too long");
  if (path.find('\0') != std::string_view::npos) return wrong("a path", "it has a zero byte");
  std::vector<std::string_view> parts = split(path, '/');
  if (parts.size() > limits.depth) {
    return Error(ErrorCode::kExhausted, fmt::format("{}: it lies deeper than {} folders", path, limits.depth));
  }
  for (std::string_view part : parts) {
    if (part.empty()) return wrong(path, "the path is absolute, ends in '/' or has '//'");
    if (part == "." || part == "..") return wrong(path, "the path has '.' or '..' in it");
    if (part.size() > kMostNameBytes) return wrong(path, "a name in it is too long");
  }
  return {};
}

Result<std::string> resolve_link(std::string_view path, std::string_view target) {
  if (target.empty() || target.front() == '/' || target.find('\0') != std::string_view::npos) {
    return wrong(path, fmt::format("the link leads to '{}'; only a relative one inside the folder can be taken along: "
                                   "replace it by what it leads to",
                                   target));
  }
  if (target.size() > kMostPathBytes) return wrong(path, "the target of the link is too long");
  std::vector<std::string_view> at = split(path, '/');
  at.pop_back();
  bool down = false;
  for (std::string_view part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      down = true;
      at.push_back(part);
      continue;
    }
    if (down)
      return wrong(path, fmt::format("the link leads to '{}', with '..' after a name: write it shorter", target));
    if (at.empty()) {
      return wrong(path,
                   fmt::format("the link leads to '{}', out of the folder that is taken along: replace it by what "
                               "it leads to",
                               target));
    }
    at.pop_back();
  }
  std::string resolved;
  for (std::string_view part : at) {
    if (!resolved.empty()) resolved += '/';
    resolved += part;
  }
  return resolved;
}

Result<void> check_manifest(const Manifest& manifest, const Limits& limits) {
  if (manifest.entries.size() > limits.entries) {
    return Error(ErrorCode::kExhausted, fmt::format("there are more than {} files", limits.entries));
  }
  uint64_t room = limits.total.count;
  std::unordered_set<std::string_view> paths;
  const ManifestEntry* before = nullptr;
  for (const ManifestEntry& entry : manifest.entries) {
    FH_TRY(check_entry(entry, limits));
    if (before != nullptr && before->path >= entry.path) return wrong(entry.path, "the entries are not sorted by path");
    before = &entry;
    if (entry.size > room) {
      return Error(ErrorCode::kExhausted, fmt::format("the files are larger than {}", format_short(limits.total)));
    }
    room -= entry.size;
    paths.insert(entry.path);
  }
  for (const ManifestEntry& entry : manifest.entries) {
    std::string_view path = entry.path;
    for (size_t slash = path.rfind('/'); slash != std::string_view::npos; slash = path.rfind('/')) {
      path = path.substr(0, slash);
      if (paths.contains(path)) return wrong(entry.path, fmt::format("it lies below {}, which is listed itself", path));
    }
  }
  return {};
}

Result<Manifest> Manifest::parse(std::string_view text, const Limits& limits) {
  FH_ASSIGN(codec::Json json, codec::Json::parse(text));
  int64_t version = json["version"].as_integer();
  if (version > kVersion) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("the manifest is of version {}, this Freehold knows up to {}", version, kVersion));
  }
  FH_ASSIGN(Manifest manifest, codec::from_json<Manifest>(json));
  FH_TRY(check_manifest(manifest, limits));
  return manifest;
}

}  // namespace freehold::contents
