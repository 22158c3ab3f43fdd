// Reason phrases of the status codes that Freehold sends or passes on (RFC 9110 section 15, RFC 6585).
#pragma once

#include <cstdint>
#include <string_view>

namespace freehold::http {

// Empty for a code that is not registered: the phrase is for people, and may be left out.
std::string_view reason_phrase(uint16_t status);

}  // namespace freehold::http
