// Text as a terminal shows it: how wide a character is, and what must not reach one. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freehold {

// 2 for East Asian wide characters and emoji, 0 for combining and invisible ones, otherwise 1. By the blocks that
// terminals agree about (Unicode's East Asian Width W and F), not by each character of them.
size_t columns_of(char32_t character);

// Something that a terminal would obey, hide or reorder: controls, marks of direction, invisible characters.
bool is_unprintable(char32_t character);

// The text with what is unprintable, or no UTF-8, replaced by '?', and tabs and line ends by spaces: for showing what
// others wrote.
std::string printable(std::string_view text);

}  // namespace freehold
