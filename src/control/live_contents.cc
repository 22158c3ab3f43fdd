#include "control/live_contents.h"

#include "contents/manifest.h"

namespace freehold::control {
namespace {

constexpr Bytes kLargestManifest{64 << 20};

}  // namespace

Result<std::set<std::string>> live_contents(const contents::Contents& contents, const std::vector<GenerationHead>& kept,
                                            const DesiredState& desired) {
  std::set<std::string> live;
  auto add_manifest = [&](const std::string& digest) -> Result<void> {
    if (digest.empty() || !live.insert(digest).second) return {};
    auto text = contents.read(digest, kLargestManifest);
    auto manifest = text ? contents::Manifest::parse(*text, {}) : Result<contents::Manifest>(text.error());
    if (manifest) {
      for (const contents::ManifestEntry& entry : manifest->entries) live.insert(entry.digest);
      return {};
    }
    // What a lost or damaged manifest named cannot be put together again. If it only could not be read now, everything
    // stays.
    ErrorCode code = manifest.error().code();
    if (code == ErrorCode::kNotFound || code == ErrorCode::kCorrupt || code == ErrorCode::kInvalid) return {};
    return manifest.error();
  };
  for (const GenerationHead& generation : kept) {
    for (const auto& [path, digest] : generation.sources) live.insert(digest);
    for (const auto& [service, digest] : generation.releases) FH_TRY(add_manifest(digest));
    for (const auto& [folder, digest] : generation.files) FH_TRY(add_manifest(digest));
  }
  for (const auto& [fingerprint, runtime] : desired.runtimes) FH_TRY(add_manifest(runtime.release));
  return live;
}

}  // namespace freehold::control
