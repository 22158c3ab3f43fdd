#include "gateway/mime_type.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace freehold::gateway {
namespace {

constexpr auto kTypes = std::to_array<MimeType>({
#include "gateway/mime_types.inc"
});
static_assert(std::ranges::is_sorted(kTypes, {}, &MimeType::ending));

}  // namespace

std::span<const MimeType> mime_types() { return kTypes; }

std::string_view mime_type(std::string_view path) {
  constexpr std::string_view kUnknown = "application/octet-stream";
  constexpr size_t kMostLetters = 12;
  size_t dot = path.find_last_of("./");
  if (dot == std::string_view::npos || path[dot] == '/' || path.size() - dot - 1 > kMostLetters) return kUnknown;
  std::string ending = to_lower(path.substr(dot + 1));
  const auto* found = std::ranges::lower_bound(kTypes, std::string_view(ending), {}, &MimeType::ending);
  return found != kTypes.end() && found->ending == ending ? found->type : kUnknown;
}

}  // namespace freehold::gateway
