// Columns for people: as wide as their widest cell, colours not counted. The last column is never padded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace freehold::cli {

enum class Tone { kPlain, kGood, kWarn, kBad, kDim };

// The text in that tone, or as it is when colour is off.
std::string paint(std::string_view text, Tone tone, bool color);

class Table {
 public:
  struct Cell {
    std::string text;
    Tone tone = Tone::kPlain;
    // A row is written as its texts: NOLINTBEGIN(google-explicit-constructor)
    Cell(std::string value, Tone how = Tone::kPlain) : text(std::move(value)), tone(how) {}
    Cell(const char* value, Tone how = Tone::kPlain) : text(value), tone(how) {}
    // NOLINTEND(google-explicit-constructor)
  };
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  std::string text(bool color) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace freehold::cli
