#include "model/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace freehold::model {
namespace {

// The line that holds the place; the window that is kept around a very long one is found again by the column.
std::string_view line_at(std::string_view text, size_t offset) {
  size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  size_t from = before == std::string_view::npos ? 0 : before + 1;
  if (from == 0 && text.starts_with("\xEF\xBB\xBF")) from = 3;
  size_t end = text.find('\n', offset);
  return text.substr(from, (end == std::string_view::npos ? text.size() : end) - from);
}

uint32_t characters(std::string_view text) {
  uint32_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::max<size_t>(first_code_point(text).length, 1));
  return count;
}

}  // namespace

std::string at(const Place& place) {
  return fmt::format("{}:{}:{}", place.source->shown, place.mark.line, place.mark.column);
}

Place Value::part(size_t offset, size_t length) const {
  Place place = this->place();
  std::string_view written = std::string_view(source->text).substr(node->mark.offset);
  size_t quote = node->plain ? 0 : 1;
  if (!written.substr(quote).starts_with(node->text) || offset + length > node->text.size()) return place;
  std::string_view before = std::string_view(node->text).substr(0, offset);
  // A part on a later line would need a line of its own; people find it from the start of the value.
  if (before.find('\n') != std::string_view::npos) return place;
  place.mark.offset += static_cast<uint32_t>(quote + offset);
  place.mark.column += static_cast<uint32_t>(quote) + characters(before);
  place.mark.length = static_cast<uint32_t>(length);
  return place;
}

void Report::add(Severity severity, const Place& place, std::string message, std::vector<std::string> hints) {
  if (severity == Severity::kError) ++errors_;
  if (entries_.size() >= kMost) return;
  Diagnostic diagnostic{.severity = severity,
                        .file = place.source->shown,
                        .line = place.mark.line,
                        .column = place.mark.column,
                        .message = std::move(message),
                        .hints = std::move(hints),
                        .source = {}};
  if (!place.source->confidential) {
    std::string_view text = place.source->text;
    size_t offset = std::min<size_t>(place.mark.offset, text.size());
    std::string_view line = line_at(text, offset);
    std::string_view marked = text.substr(offset, place.mark.length);
    diagnostic.length = std::max(1u, characters(marked.substr(0, marked.find_first_of("\r\n"))));
    // A diagnostic that kept a line of megabytes a thousand times would be a bomb of its own.
    constexpr size_t kLongest = 4096;
    if (line.size() <= kLongest) diagnostic.source = line;
  }
  entries_.push_back({place.source->index, place.mark.offset, 0, std::move(diagnostic)});
}

void Report::error(const Place& place, std::string message, std::vector<std::string> hints) {
  add(Severity::kError, place, std::move(message), std::move(hints));
}

void Report::warning(const Place& place, std::string message, std::vector<std::string> hints) {
  add(Severity::kWarning, place, std::move(message), std::move(hints));
}

void Report::error_of_file(const Source& source, std::string message, std::vector<std::string> hints) {
  ++errors_;
  Diagnostic diagnostic;
  diagnostic.file = source.shown;
  diagnostic.message = std::move(message);
  diagnostic.hints = std::move(hints);
  entries_.push_back({source.index, 0, 0, std::move(diagnostic)});
}

void Report::yaml_problems(const Source& source) {
  for (const codec::YamlProblem& problem : source.document.problems) {
    std::vector<std::string> hints;
    if (problem.first) hints.push_back(fmt::format("see {}", at({&source, *problem.first})));
    if (!problem.hint.empty()) hints.push_back(problem.hint);
    error({&source, problem.mark}, problem.message, std::move(hints));
  }
}

Diagnostics Report::finish() {
  // Places that are the same keep the order of reading: std::stable_sort of this library does not compile with
  // clang 19.
  for (size_t i = 0; i < entries_.size(); ++i) entries_[i].sequence = i;
  std::ranges::sort(entries_, {},
                    [](const Entry& entry) { return std::tuple(entry.source, entry.offset, entry.sequence); });
  Diagnostics out;
  for (Entry& entry : entries_) out.add(std::move(entry.diagnostic));
  entries_.clear();
  return out;
}

}  // namespace freehold::model
