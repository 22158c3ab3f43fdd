// Dates of HTTP fields in their one preferred form (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace freehold::http {

constexpr size_t kDateLength = 29;

// Whole seconds, rounded down. What lies before 1970 becomes its beginning.
std::array<char, kDateLength> format_date(WallTime time);
std::string date_text(WallTime time);
// Only that form, with a weekday that is right, and years up to 2261. Conditions with another date are to be ignored,
// as RFC 9110 has it for dates that a recipient cannot read; browsers and caches send back what they were given.
std::optional<WallTime> parse_date(std::string_view text);

}  // namespace freehold::http
