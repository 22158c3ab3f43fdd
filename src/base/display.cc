#include "base/display.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace freehold {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr Range kUnprintable[] = {{0x00, 0x1F},     {0x7F, 0x9F},      {0xAD, 0xAD},     {0x61C, 0x61C},
                                  {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
                                  {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};
constexpr Range kWide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},  {0xFE30, 0xFE4F},
                           {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
constexpr Range kNone[] = {{0x300, 0x36F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

bool within(char32_t c, std::span<const Range> ranges) {
  return std::ranges::any_of(ranges, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

}  // namespace

size_t columns_of(char32_t character) {
  if (within(character, kNone)) return 0;
  return within(character, kWide) ? 2 : 1;
}

bool is_unprintable(char32_t character) { return within(character, kUnprintable); }

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    CodePoint point = first_code_point(text);
    if (point.length == 1 && (point.value == '\t' || point.value == '\n' || point.value == '\r')) {
      out += ' ';
    } else if (point.length == 0 || is_unprintable(point.value)) {
      out += '?';
    } else {
      out += text.substr(0, point.length);
    }
    text.remove_prefix(std::max<size_t>(point.length, 1));
  }
  return out;
}

}  // namespace freehold
