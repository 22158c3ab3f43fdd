// Where characters of a YAML text stand: libyaml counts characters, people count lines and columns, slices need bytes.
//
// Internal to codec. Holds a view of the text; the owner keeps it alive.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/yaml.h"

namespace freehold::codec {

class YamlText {
 public:
  // The text without a byte order mark, which no editor counts.
  explicit YamlText(std::string_view text);

  std::string_view body() const { return text_.substr(start_); }
  // The first byte that is no UTF-8, or character that YAML does not allow, if there is one.
  const std::optional<YamlProblem>& problem() const { return problem_; }

  // From the character `index` of the body up to the character `end`.
  YamlMark mark(size_t index, size_t end) const;
  // The byte at a mark; 0 at the end.
  char at(const YamlMark& mark) const { return mark.offset < text_.size() ? text_[mark.offset] : '\0'; }
  char before(const YamlMark& mark) const { return mark.offset > start_ ? text_[mark.offset - 1] : '\0'; }
  // What stands before the mark on its line.
  std::string_view line_before(const YamlMark& mark) const;

 private:
  struct Point {
    uint32_t index;   // in characters
    uint32_t offset;  // in bytes of the whole text
  };
  size_t offset_of(size_t index) const;

  std::string_view text_;
  uint32_t start_ = 0;
  uint32_t characters_ = 0;
  std::vector<Point> lines_;        // where each line starts
  std::vector<Point> checkpoints_;  // every kStride characters
  std::optional<YamlProblem> problem_;
};

}  // namespace freehold::codec
