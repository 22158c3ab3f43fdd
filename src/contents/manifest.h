// Manifest: which files, with which content, make up one captured folder.
//
// The canonical text is JSON without spaces, entries sorted by path; its SHA-256 names the manifest, and so the whole
// captured folder. parse() accepts no manifest that could reach outside the folder in which it is built: paths are
// relative without "." and "..", nothing lies below a file or a link, links lead inside. Folders are listed only when
// empty; all others follow from the paths. Of a file's mode, only whether it is executable is kept.
//
// Errors: kInvalid, kExhausted over a limit, kUnsupported for a version that is newer.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "codec/fields.h"

namespace freehold::contents {

struct Limits {
  size_t entries = 100'000;
  Bytes total{4ULL << 30};
  size_t depth = 64;  // folders within folders
};

enum class Kind { kFile, kFolder, kLink };
inline std::span<const std::string_view> enum_names(Kind) {
  static constexpr std::array<std::string_view, 3> kNames = {"file", "folder", "link"};
  return kNames;
}

struct ManifestEntry {
  std::string path{};
  Kind kind = Kind::kFile;
  bool executable = false;
  uint64_t size = 0;
  std::string digest{};  // of a file's bytes
  std::string target{};  // of a link
  bool operator==(const ManifestEntry&) const = default;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, ManifestEntry>& entry) {
  v("path", entry.path);
  v("kind", entry.kind);
  v("executable", entry.executable);
  v("size", entry.size);
  v("digest", entry.digest, {"of a file's bytes"});
  v("target", entry.target, {"of a link"});
}

struct Manifest {
  static constexpr uint32_t kVersion = 1;
  uint32_t version = kVersion;
  std::vector<ManifestEntry> entries{};
  bool operator==(const Manifest&) const = default;

  std::string canonical() const;
  std::string digest() const;
  uint64_t total_size() const;
  static Result<Manifest> parse(std::string_view text, const Limits& limits);
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Manifest>& manifest) {
  v("version", manifest.version);
  v("entries", manifest.entries);
}

// Whether `path` may name an entry.
Result<void> check_path(std::string_view path, const Limits& limits);
// Where the link at `path` leads, as a path from the same root ("" is the root itself); kInvalid if it leaves the root
// or is absolute. ".." may only stand at its beginning: behind another link it would lead somewhere else than it reads.
Result<std::string> resolve_link(std::string_view path, std::string_view target);
// All that must hold of the entries, together.
Result<void> check_manifest(const Manifest& manifest, const Limits& limits);

}  // namespace freehold::contents
