#include "model/diagnostics.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/display.h"
#include "base/text.h"

namespace freehold::model {
namespace {

constexpr size_t kLongestLine = 100;  // cells of a source line that are shown
constexpr size_t kBeforeCaret = 40;
constexpr size_t kLongestQuote = 60;

struct Cell {
  std::string text;
  size_t width = 1;
};

std::vector<Cell> cells_of(std::string_view text) {
  std::vector<Cell> cells;
  while (!text.empty()) {
    CodePoint point = first_code_point(text);
    size_t length = std::max<size_t>(point.length, 1);
    bool itself = point.length > 0 && !is_unprintable(point.value);
    cells.push_back({printable(text.substr(0, length)), itself ? columns_of(point.value) : 1});
    text.remove_prefix(length);
  }
  return cells;
}

struct Paint {
  std::string_view bold, error, warning, caret, plain;
};
constexpr Paint kNoPaint = {};
constexpr Paint kPaint = {"\033[1m", "\033[1;31m", "\033[1;33m", "\033[1;32m", "\033[0m"};

// The source line with a caret under it, both cut to a window around the caret.
std::string show_source(const Diagnostic& diagnostic, const Paint& paint) {
  std::vector<Cell> cells = cells_of(diagnostic.source);
  while (!cells.empty() && cells.back().text == " ") cells.pop_back();
  size_t caret = diagnostic.column - 1;
  size_t from = 0;
  size_t to = cells.size();
  if (cells.size() > kLongestLine) {
    from = caret > kBeforeCaret ? std::min(caret - kBeforeCaret, cells.size() - kLongestLine) : 0;
    to = from + kLongestLine;
  }
  std::string line = from > 0 ? "..." : "";
  std::string under(line.size(), ' ');
  std::string marks;
  for (size_t i = from; i < std::max(to, caret + 1); ++i) {
    Cell cell = i < cells.size() ? cells[i] : Cell{"", 1};
    if (i < to) line += cell.text;
    if (i < caret) under.append(cell.width, ' ');
    if (i == caret) marks += '^';
    if (i > caret && i < to && i < caret + diagnostic.length) marks.append(cell.width, '~');
    if (i == caret && cell.width == 2 && diagnostic.length > 1) marks += '~';
  }
  if (to < cells.size()) line += "...";
  std::string number = fmt::format("{:>5}", diagnostic.line);
  return fmt::format("{} | {}\n{} | {}{}{}{}\n", number, line, std::string(number.size(), ' '), under, paint.caret,
                     marks, paint.plain);
}

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "'";
  size_t count = 0;
  // No more than the part that is shown is looked at: texts may be megabytes long.
  for (const Cell& cell : cells_of(text.substr(0, kLongestQuote * 4))) {
    if (++count > kLongestQuote) return out + "...'";
    out += cell.text;
  }
  return out + (text.size() > kLongestQuote * 4 ? "...'" : "'");
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::kError) ++errors_;
  if (items_.size() >= kMost) {
    ++dropped_;
    return;
  }
  diagnostic.file = printable(diagnostic.file);
  diagnostic.message = printable(diagnostic.message);
  for (std::string& hint : diagnostic.hints) hint = printable(hint);
  items_.push_back(std::move(diagnostic));
}

std::string Diagnostics::format(Colour colour) const {
  const Paint& paint = colour == Colour::kAlways ? kPaint : kNoPaint;
  std::string out;
  for (const Diagnostic& diagnostic : items_) {
    bool error = diagnostic.severity == Severity::kError;
    out += fmt::format("{}{}:", paint.bold, diagnostic.file);
    if (diagnostic.line > 0) out += fmt::format("{}:{}:", diagnostic.line, diagnostic.column);
    out += fmt::format("{} {}{}:{} {}\n", paint.plain, error ? paint.error : paint.warning, error ? "error" : "warning",
                       paint.plain, diagnostic.message);
    if (diagnostic.line > 0 && !diagnostic.source.empty()) out += show_source(diagnostic, paint);
    for (const std::string& hint : diagnostic.hints) out += fmt::format("      {}\n", hint);
  }
  if (dropped_ > 0) out += fmt::format("and {} more\n", dropped_);
  return out;
}

codec::Json Diagnostics::to_json() const {
  codec::Json list = codec::Json::array();
  for (const Diagnostic& diagnostic : items_) {
    codec::Json item = codec::Json::object();
    item.append("file", diagnostic.file);
    item.append("line", diagnostic.line);
    item.append("column", diagnostic.column);
    item.append("severity", diagnostic.severity == Severity::kError ? "error" : "warning");
    item.append("message", diagnostic.message);
    item.append("hint", join(diagnostic.hints, "\n"));
    list.push(std::move(item));
  }
  return list;
}

}  // namespace freehold::model
