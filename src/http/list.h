// List: walks the elements of a comma-separated field value (RFC 9110 section 5.6.1) without copying.
//
// For values whose elements hold no quoted strings: Connection, Transfer-Encoding, Accept-Encoding and the like.
// Elements come without the spaces around them; an empty element comes as an empty view.
#pragma once

#include <optional>
#include <string_view>

#include "http/scan.h"

namespace freehold::http {

class List {
 public:
  explicit List(std::string_view value) : rest_(value) {}

  std::optional<std::string_view> next() {
    if (done_) return std::nullopt;
    size_t comma = rest_.find(',');
    std::string_view element = rest_.substr(0, comma);
    done_ = comma == std::string_view::npos;
    if (!done_) rest_.remove_prefix(comma + 1);
    while (!element.empty() && is_space(element.front())) element.remove_prefix(1);
    while (!element.empty() && is_space(element.back())) element.remove_suffix(1);
    return element;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

}  // namespace freehold::http
