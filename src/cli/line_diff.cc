#include "cli/line_diff.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace freehold::cli {
namespace {

constexpr size_t kAround = 3;

struct Text {
  std::vector<std::string_view> lines;
  bool ends_with_newline = true;

  explicit Text(std::string_view text) : lines(split(text, '\n')) {
    ends_with_newline = lines.back().empty();
    if (ends_with_newline) lines.pop_back();
  }
  // A line as a diff shows it, with the mark of its kind.
  std::string shown(char mark, size_t at) const {
    bool unended = at + 1 == lines.size() && !ends_with_newline;
    return fmt::format("{}{}\n{}", mark, lines[at], unended ? "\\ No newline at end of file\n" : "");
  }
};

bool differ(const Text& before, const Text& after, size_t at) {
  if (at >= before.lines.size() || at >= after.lines.size()) return true;
  bool ends_alike = (at + 1 == before.lines.size() && !before.ends_with_newline) ==
                    (at + 1 == after.lines.size() && !after.ends_with_newline);
  return before.lines[at] != after.lines[at] || !ends_alike;
}

std::string range(size_t from, size_t count) {
  // A range of no lines names the line before it.
  return fmt::format("{},{}", count == 0 ? from : from + 1, count);
}

}  // namespace

std::string line_diff(const std::string& path, std::string_view before_text, std::string_view after_text) {
  if (before_text == after_text) return "";
  Text before(before_text), after(after_text);
  size_t length = std::max(before.lines.size(), after.lines.size());
  std::string out = fmt::format("--- {}\n+++ {}\n", path, path);
  for (size_t at = 0; at < length;) {
    if (!differ(before, after, at)) {
      ++at;
      continue;
    }
    size_t from = at - std::min(at, kAround);
    size_t last = at;  // the last changed line of this hunk
    for (size_t next = at; next < length && next <= last + 2 * kAround; ++next) {
      if (differ(before, after, next)) last = next;
    }
    size_t end = std::min(last + kAround + 1, length);
    auto count = [&](const Text& text) { return std::min(end, text.lines.size()) - std::min(from, text.lines.size()); };
    out += fmt::format("@@ -{} +{} @@\n", range(from, count(before)), range(from, count(after)));
    for (size_t line = from; line < end;) {
      if (!differ(before, after, line)) {
        out += before.shown(' ', line++);
        continue;
      }
      size_t stop = line;
      while (stop < end && differ(before, after, stop)) ++stop;
      for (size_t i = line; i < std::min(stop, before.lines.size()); ++i) out += before.shown('-', i);
      for (size_t i = line; i < std::min(stop, after.lines.size()); ++i) out += after.shown('+', i);
      line = stop;
    }
    at = end;
  }
  return out;
}

}  // namespace freehold::cli
