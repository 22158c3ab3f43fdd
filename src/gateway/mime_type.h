// What a file is, by the ending of its name. The table is mime_types.inc, sorted by ending.
#pragma once

#include <string_view>

namespace freehold::gateway {

// "application/octet-stream" for an ending that is not known. The case of the ending does not matter.
std::string_view mime_type(std::string_view path);

}  // namespace freehold::gateway
