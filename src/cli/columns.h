// Text as a terminal counts it: in columns, of UTF-8 with colours in it.
#pragma once

#include <string>
#include <string_view>

namespace freehold::cli {

// Wide characters take two, combining ones and colours (CSI sequences) none.
size_t columns_of(std::string_view text);

// At most `columns` of it. Where something was cut, the last three say so with dots, and colours are ended.
std::string fit(std::string_view text, size_t columns);

}  // namespace freehold::cli
