// Any bytes as a manifest that somebody sends: what is accepted must be named by what it says, and must stay inside the
// folder that it is built in.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "contents/manifest.h"

namespace {

using freehold::contents::Kind;
using freehold::contents::Manifest;
using freehold::contents::ManifestEntry;

// Said apart from the code that it checks.
bool stays_inside(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) return false;
  for (std::string_view part : freehold::split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto manifest = Manifest::parse(std::string_view(reinterpret_cast<const char*>(data), size), {});
  if (!manifest) {
    if (manifest.error().message().empty()) std::abort();
    return 0;
  }
  auto again = Manifest::parse(manifest->canonical(), {});
  if (!again || *again != *manifest || again->digest() != manifest->digest()) std::abort();
  const ManifestEntry* before = nullptr;
  for (const ManifestEntry& entry : manifest->entries) {
    if (!stays_inside(entry.path)) std::abort();
    if (before != nullptr && before->path >= entry.path) std::abort();
    before = &entry;
    if (entry.kind != Kind::kLink) continue;
    auto target = freehold::contents::resolve_link(entry.path, entry.target);
    if (!target || (!target->empty() && !stays_inside(*target))) std::abort();
  }
  return 0;
}
