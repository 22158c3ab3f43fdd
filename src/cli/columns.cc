#include "cli/columns.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace freehold::cli {
namespace {

struct Range {
  char32_t first, last;
};
// The blocks that terminals agree about (Unicode's East Asian Width W and F); not each character of them.
constexpr std::array kWide = {Range{0x1100, 0x115F}, Range{0x2E80, 0xA4CF},   Range{0xAC00, 0xD7A3},
                              Range{0xF900, 0xFAFF}, Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},
                              Range{0xFFE0, 0xFFE6}, Range{0x1F300, 0x1FAFF}, Range{0x20000, 0x3FFFD}};
constexpr std::array kNone = {Range{0x0300, 0x036F}, Range{0x200B, 0x200F}, Range{0xFE00, 0xFE0F}};

template <size_t kCount>
bool is_in(const std::array<Range, kCount>& ranges, char32_t value) {
  return std::ranges::any_of(ranges, [&](Range range) { return value >= range.first && value <= range.last; });
}

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
  if (is_in(kNone, point.value)) return {point.length, 0};
  return {point.length, is_in(kWide, point.value) ? size_t{2} : size_t{1}};
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

std::string harmless(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return out;
}

}  // namespace freehold::cli
