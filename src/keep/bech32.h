// Bech32 (BIP 173) as the age format uses it for keys: without its limit of 90 characters. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace freehold::keep {

// In lower case. `prefix` is lower case.
std::string bech32_encode(std::string_view prefix, std::string_view bytes);
// Accepts exactly what bech32_encode gives for that prefix, or the same in upper case; kInvalid otherwise. At most 200
// characters.
Result<std::string> bech32_decode(std::string_view prefix, std::string_view text);

}  // namespace freehold::keep
