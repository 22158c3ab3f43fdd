#include "http/corpus.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace freehold::http {
namespace {

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    size_t known = text[i] == '\\' ? std::string_view("rntf").find(next) : std::string_view::npos;
    if (known != std::string_view::npos && next != '\0') {
      out += "\r\n\t\f"[known];
      ++i;
    } else if (text[i] == '\\' && next == 'x') {
      unsigned code = 0;
      const char* begin = text.data() + i + 2;
      auto [end, error] = std::from_chars(begin, text.data() + std::min(text.size(), i + 4), code, 16);
      append_utf8(out, code);
      i += 1 + static_cast<size_t>(end - begin);
    } else {
      out += text[i];
    }
  }
  return out;
}

// The lines of a block, without the last line end.
std::string bytes_of_block(const std::vector<std::string>& lines) {
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    const bool joined = line.ends_with('\\');
    if (joined) line.remove_suffix(1);
    out += unescape(line);
    if (!joined && i + 1 < lines.size()) out += "\r\n";
  }
  return out;
}

// The text of `off=N len=M span[kind]="text"`, if the line is one of that kind.
std::optional<std::string> span(std::string_view line, std::string_view kind) {
  std::string mark = "span[" + std::string(kind) + "]=";
  size_t at = line.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + mark.size());
  if (line == "cr") return "\r";
  if (line == "lf") return "\n";
  if (line.size() < 2 || line.front() != '"') return std::nullopt;
  return unescape(line.substr(1, line.size() - 2));
}

class LogReader {
 public:
  explicit LogReader(CorpusCase& into) : case_(into) {}

  void line(std::string_view text) {
    if (text.find(" message begin") != std::string_view::npos) {
      current_ = {};
      in_head_ = true;
    } else if (auto method = span(text, "method")) {
      current_.method += *method;
    } else if (auto url = span(text, "url")) {
      current_.url += *url;
    } else if (auto status = span(text, "status")) {
      current_.status_reason += *status;
    } else if (auto field = span(text, "header_field"); field && in_head_) {
      field_ += *field;
    } else if (text.find(" header_field complete") != std::string_view::npos && in_head_) {
      current_.headers.emplace_back(std::exchange(field_, {}), "");
    } else if (auto value = span(text, "header_value"); value && in_head_) {
      if (!current_.headers.empty()) current_.headers.back().second += *value;
    } else if (text.find(" headers complete") != std::string_view::npos) {
      in_head_ = false;
      case_.messages.push_back(current_);
    } else if (auto body = span(text, "body")) {
      if (!case_.messages.empty()) case_.messages.back().body += *body;
    } else if (text.find(" message complete") != std::string_view::npos) {
      if (!case_.messages.empty()) case_.messages.back().complete = true;
    } else if (size_t at = text.find(" error code="); at != std::string_view::npos) {
      // 21 to 23 are pauses that were asked for, not errors.
      std::string_view code = text.substr(at + 12, 3);
      if (code == "21 " || code == "22 " || code == "23 ") return;
      case_.refused = true;
      case_.error = text.substr(at + 1);
    }
  }

 private:
  CorpusCase& case_;
  CorpusMessage current_;
  std::string field_;
  bool in_head_ = false;
};

void read_file(const std::filesystem::path& path, std::vector<CorpusCase>& cases) {
  std::ifstream file(path);
  std::string line, heading, type;
  bool skip_body = false;
  std::vector<std::string> block;
  std::string language;  // of the block that we are in
  while (std::getline(file, line)) {
    if (!language.empty()) {
      if (line != "```") {
        block.push_back(line);
        continue;
      }
      if (language == "http" && !type.empty()) {
        cases.push_back({path.parent_path().filename() / path.filename(),
                         heading,
                         std::exchange(type, {}),
                         skip_body,
                         bytes_of_block(block),
                         {},
                         false,
                         {}});
      } else if (language == "log" && !cases.empty()) {
        LogReader reader(cases.back());
        for (const std::string& entry : block) reader.line(entry);
      }
      language.clear();
      block.clear();
    } else if (line.starts_with("```")) {
      language = line.substr(3).empty() ? "other" : line.substr(3);
    } else if (line.starts_with("#")) {
      heading = line.substr(line.find_first_not_of("# "));
    } else if (line.find("meta=") != std::string::npos) {
      skip_body = line.find("skipBody") != std::string::npos;
      size_t at = line.find("\"type\"");
      size_t begin = line.find('"', line.find(':', at)) + 1;
      type = line.substr(begin, line.find('"', begin) - begin);
    }
  }
}

}  // namespace

std::vector<CorpusCase> read_corpus(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<CorpusCase> cases;
  for (const auto& file : files) read_file(file, cases);
  return cases;
}

}  // namespace freehold::http
