// Base64 (RFC 4648, section 4): the standard alphabet, padded, without line breaks.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace freehold::codec {

std::string base64_encode(std::string_view bytes);
// Accepts exactly what base64_encode gives; kInvalid otherwise.
Result<std::string> base64_decode(std::string_view text);

}  // namespace freehold::codec
