// Small operations on text that more than one module needs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace freehold {

std::string_view trim(std::string_view text);                                // spaces, tabs, CR, LF at both ends
std::vector<std::string_view> split(std::string_view text, char separator);  // "a,,b" gives three parts
std::string join(std::span<const std::string> parts, std::string_view separator);
bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII only
std::string to_lower(std::string_view text);                        // ASCII only

std::string to_hex(std::string_view bytes);

// The first character of UTF-8 text (RFC 3629); length 0 where there is no well-formed one.
struct CodePoint {
  char32_t value = 0;
  size_t length = 0;  // bytes
};
CodePoint first_code_point(std::string_view text);

// The candidate that a person most likely meant by `name`, or empty if none is near: at most a third of its letters may
// differ (insertion, deletion, substitution, transposition of neighbours).
std::string_view near_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace freehold
