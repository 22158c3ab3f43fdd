#include "cli/columns.h"

#include <algorithm>

#include "base/display.h"
#include "base/text.h"

namespace freehold::cli {
namespace {

// The next thing on a terminal: its bytes, and the columns that it takes.
struct Piece {
  size_t bytes = 1;
  size_t columns = 1;
};

Piece first_piece(std::string_view text) {
  if (text.starts_with("\033[")) {
    size_t end = 2;
    while (end < text.size() && (text[end] < 0x40 || text[end] > 0x7E)) ++end;
    return {std::min(end + 1, text.size()), 0};
  }
  CodePoint point = first_code_point(text);
  if (point.length == 0) return {1, 1};  // not UTF-8: shown as one replacement
  return {point.length, freehold::columns_of(point.value)};
}

}  // namespace

size_t columns_of(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    Piece piece = first_piece(text);
    columns += piece.columns;
    text.remove_prefix(piece.bytes);
  }
  return columns;
}

std::string fit(std::string_view text, size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  constexpr std::string_view kDots = "...";
  const std::string_view dots = kDots.substr(0, std::min(columns, kDots.size()));
  std::string out;
  bool colored = false;
  for (size_t used = 0;;) {
    Piece piece = first_piece(text);
    if (used + piece.columns + dots.size() > columns) break;
    used += piece.columns;
    colored = colored || piece.columns == 0;
    out += text.substr(0, piece.bytes);
    text.remove_prefix(piece.bytes);
  }
  out += dots;
  return colored ? out + "\033[0m" : out;
}

}  // namespace freehold::cli
