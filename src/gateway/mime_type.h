// What a file is, by the ending of its name. The table is mime_types.inc, sorted by ending.
#pragma once

#include <span>
#include <string_view>

namespace freehold::gateway {

struct MimeType {
  std::string_view ending;
  std::string_view type;
};
// All that are known, sorted by ending.
std::span<const MimeType> mime_types();

// "application/octet-stream" for an ending that is not known. The case of the ending does not matter.
std::string_view mime_type(std::string_view path);

}  // namespace freehold::gateway
