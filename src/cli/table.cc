#include "cli/table.h"

#include <algorithm>

#include "cli/columns.h"

namespace freehold::cli {
namespace {

const char* code_of(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "\033[32m";
    case Tone::kWarn:
      return "\033[33m";
    case Tone::kBad:
      return "\033[31m";
    case Tone::kDim:
      return "\033[2m";
    case Tone::kPlain:
      return "";
  }
  return "";
}

}  // namespace

std::string paint(std::string_view text, Tone tone, bool color) {
  if (!color || tone == Tone::kPlain) return std::string(text);
  return std::string(code_of(tone)) + std::string(text) + "\033[0m";
}

std::string Table::text(bool color) const {
  std::vector<size_t> widths;
  for (const std::string& heading : headings_) widths.push_back(columns_of(heading));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i].text));
  }
  std::string out;
  auto put = [&](std::string_view text, Tone tone, size_t column, bool last) {
    out += paint(text, tone, color);
    if (!last) out.append(widths[column] - columns_of(text) + 2, ' ');
  };
  for (size_t i = 0; i < headings_.size(); ++i) put(headings_[i], Tone::kDim, i, i + 1 == headings_.size());
  out += '\n';
  for (const auto& row : rows_) {
    // Empty cells at the end of a row leave no spaces behind.
    size_t used = row.size();
    while (used > 0 && row[used - 1].text.empty()) --used;
    for (size_t i = 0; i < used; ++i) put(row[i].text, row[i].tone, i, i + 1 == used);
    out += '\n';
  }
  return out;
}

}  // namespace freehold::cli
