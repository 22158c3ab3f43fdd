#include "cli/screen.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "cli/columns.h"
#include "cli/output.h"

namespace freehold::cli {
namespace {

constexpr size_t kNarrowest = 40;
constexpr size_t kWidest = 120;

}  // namespace

bool Screen::is_there() {
  const char* terminal = std::getenv("TERM");
  std::string_view kind = terminal == nullptr ? "" : terminal;
  return isatty(STDOUT_FILENO) == 1 && !kind.empty() && kind != "dumb";
}

Size Screen::size() {
  winsize window{};
  Size size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0) return size;
  if (window.ws_col != 0) size.columns = window.ws_col;
  if (window.ws_row != 0) size.rows = window.ws_row;
  return size;
}

size_t Screen::text_columns() {
  size_t columns = size().columns;
  std::string_view given = std::getenv("COLUMNS") == nullptr ? "" : std::getenv("COLUMNS");
  size_t number = 0;
  auto [stop, failure] = std::from_chars(given.data(), given.data() + given.size(), number);
  if (failure == std::errc() && stop == given.data() + given.size() && number > 0) columns = number;
  return std::clamp<size_t>(columns, kNarrowest, kWidest);
}

std::string redraw(const std::vector<std::string>& drawn, const std::vector<std::string>& lines, size_t columns) {
  size_t rows = 0;
  for (const std::string& line : drawn) {
    size_t width = columns_of(line);
    rows += width == 0 ? 1 : (width + columns - 1) / columns;
  }
  std::string out = "\r";
  if (rows > 0) out += fmt::format("\033[{}A", rows);
  // Each line is cleared behind its end, not before it is written: nothing flickers.
  for (const std::string& line : lines) out += line + "\033[K\n";
  return out + "\033[J";
}

void Screen::draw(std::vector<std::string> lines) {
  print(redraw(lines_, lines, std::max<size_t>(size().columns, 1)));
  lines_ = std::move(lines);
}

}  // namespace freehold::cli
