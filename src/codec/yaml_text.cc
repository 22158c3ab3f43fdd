#include "codec/yaml_text.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace freehold::codec {
namespace {

constexpr uint32_t kStride = 128;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// YAML 1.1, section 5.1, without the byte order mark in the middle of a text.
bool allowed(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r' || c == 0x85) return true;
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return false;
  return c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
}

}  // namespace

YamlText::YamlText(std::string_view text) : text_(text) {
  if (text.starts_with(kByteOrderMark)) start_ = static_cast<uint32_t>(kByteOrderMark.size());
  auto offset = start_;
  lines_.push_back({0, offset});
  while (offset < text.size()) {
    if (characters_ % kStride == 0) checkpoints_.push_back({characters_, offset});
    CodePoint point = first_code_point(text.substr(offset));
    if (point.length == 0 || !allowed(point.value)) {
      YamlProblem problem;
      problem.mark = mark(characters_, characters_);
      problem.mark.length = 1;
      bool two_bytes = offset == 0 && (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"));
      if (point.length == 0) {
        problem.message = two_bytes ? "this file is UTF-16" : "this is not UTF-8 text";
        problem.hint = "save the file as UTF-8";
      } else {
        problem.message = fmt::format("the character U+{:04X} may not stand here", static_cast<uint32_t>(point.value));
        problem.hint = "remove it, or write it as an escape in double quotes";
      }
      problem_ = std::move(problem);
      return;
    }
    offset += static_cast<uint32_t>(point.length);
    ++characters_;
    if (point.value == '\n') lines_.push_back({characters_, offset});
  }
}

size_t YamlText::offset_of(size_t index) const {
  size_t point = index / kStride;
  if (index >= characters_ || point >= checkpoints_.size()) {
    // At the end, or at the character that is refused while the text is still being read.
    if (checkpoints_.empty()) return start_;
    point = checkpoints_.size() - 1;
  }
  size_t offset = checkpoints_[point].offset;
  for (size_t i = checkpoints_[point].index; i < std::min<size_t>(index, characters_); ++i) {
    offset += first_code_point(text_.substr(offset)).length;
  }
  return offset;
}

YamlMark YamlText::mark(size_t index, size_t end) const {
  index = std::min<size_t>(index, characters_);
  end = std::clamp<size_t>(end, index, characters_);
  auto line = std::ranges::upper_bound(lines_, index, {}, &Point::index) - 1;
  size_t offset = offset_of(index);
  return {.offset = static_cast<uint32_t>(offset),
          .length = static_cast<uint32_t>(offset_of(end) - offset),
          .line = static_cast<uint32_t>(line - lines_.begin() + 1),
          .column = static_cast<uint32_t>(index - line->index + 1)};
}

std::string_view YamlText::line_before(const YamlMark& mark) const {
  uint32_t from = lines_[mark.line - 1].offset;
  return text_.substr(from, mark.offset - from);
}

}  // namespace freehold::codec
