#include "codec/yaml_layout.h"

#include <fmt/core.h>
#include <yaml.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "codec/yaml.h"
#include "codec/yaml_text.h"

namespace freehold::codec {
namespace {

constexpr size_t kStep = 2;

struct Token {
  yaml_token_type_t type;
  size_t start, end;  // bytes of the body
  size_t line;        // from 0
  size_t column;      // of its start, from 0, in characters
};

std::optional<std::vector<Token>> scan(const YamlText& text) {
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) return std::nullopt;
  std::string_view body = text.body();
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(body.data()), body.size());
  std::optional<std::vector<Token>> tokens(std::in_place);
  size_t mark_of_order = text.mark(0, 0).offset;  // where the body starts in the whole text
  for (bool more = true; more;) {
    yaml_token_t token;
    if (yaml_parser_scan(&parser, &token) == 0) {
      tokens.reset();
      break;
    }
    YamlMark start = text.mark(token.start_mark.index, token.end_mark.index);
    tokens->push_back({token.type, start.offset - mark_of_order, start.offset - mark_of_order + start.length,
                       token.start_mark.line, token.start_mark.column});
    more = token.type != YAML_STREAM_END_TOKEN;
    yaml_token_delete(&token);
  }
  yaml_parser_delete(&parser);
  return tokens;
}

size_t indentation(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }
bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }
bool is_comment(std::string_view line) {
  size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '#';
}
std::string_view without_tail(std::string_view line) {
  size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

class Layout {
 public:
  Layout(std::string_view body, std::vector<Token> tokens) : body_(body), tokens_(std::move(tokens)) {
    for (size_t start = 0; start <= body.size();) {
      size_t end = std::min(body.find('\n', start), body.size());
      lines_.push_back({.start = start, .text = body.substr(start, end - start)});
      start = end + 1;
    }
  }

  std::string write() {
    for (size_t i = 0; i < tokens_.size(); ++i) take(i);
    place_comments();
    std::string out;
    for (const Line& line : lines_) out += written(line) + '\n';
    while (out.ends_with("\n\n")) out.pop_back();
    return out == "\n" ? "" : out;
  }

 private:
  // A list or mapping in block style: where its entries stood, and where they will.
  struct Level {
    size_t column, target;
    bool implied = false;  // a list as far left as the key that it belongs to
  };
  struct Edit {
    size_t start, end;  // bytes of the body: white space
    std::string_view replacement;
  };
  struct Line {
    size_t start;
    std::string_view text;
    std::optional<size_t> indent = {};  // that it gets, if it starts with a token in block style
    std::optional<size_t> target = {};  // that it gets, if it is a comment
    long shift = 0;                     // by which any other line moves
    bool verbatim = false;              // it starts inside a scalar
    // After its last token.
    bool told = false;
    bool in_brackets = false;
    long shift_after = 0;
    std::vector<Level> levels = {};
    std::vector<Edit> edits = {};
  };

  size_t target() const { return levels_.empty() ? 0 : levels_.back().target; }
  // By how much what belongs to the innermost level moves.
  long shift() const {
    if (levels_.empty()) return 0;
    return static_cast<long>(levels_.back().target) - static_cast<long>(levels_.back().column);
  }

  void take(size_t index);
  void start_line(const Token& token);
  void space(const Token& before, const Token& after);
  void place_comments();
  void note(size_t line);
  std::string written(const Line& line) const;
  static std::optional<std::string_view> between(yaml_token_type_t before, yaml_token_type_t after);

  std::string_view body_;
  std::vector<Token> tokens_;
  std::vector<Line> lines_;
  std::vector<Level> levels_;
  size_t flow_ = 0;
  size_t told_ = 0;              // lines before this one have their indentation
  long flow_shift_ = 0;          // of the line on which the outermost brackets opened
  const Token* last_ = nullptr;  // that has a width
};

void Layout::take(size_t index) {
  const Token& token = tokens_[index];
  switch (token.type) {
    case YAML_STREAM_START_TOKEN:
    case YAML_STREAM_END_TOKEN:
      return;
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
      // Also below a dash on its own line, as in "- a: b".
      levels_.push_back({token.column, levels_.empty() ? 0 : target() + kStep});
      return;
    case YAML_BLOCK_END_TOKEN:
      while (!levels_.empty() && levels_.back().implied) levels_.pop_back();
      if (!levels_.empty()) levels_.pop_back();
      return;
    default:
      break;
  }
  if (flow_ == 0 && !levels_.empty()) {
    Level& top = levels_.back();
    if (token.type == YAML_KEY_TOKEN && top.implied && token.column <= top.column) levels_.pop_back();
    if (token.type == YAML_BLOCK_ENTRY_TOKEN && !levels_.back().implied && tokens_[index - 1].type == YAML_VALUE_TOKEN)
      levels_.push_back({token.column, target() + kStep, true});
  }
  start_line(token);
  bool wide = token.end > token.start;
  if (wide && last_ != nullptr && last_->end <= token.start) space(*last_, token);
  bool opens = token.type == YAML_FLOW_MAPPING_START_TOKEN || token.type == YAML_FLOW_SEQUENCE_START_TOKEN;
  if (opens && flow_++ == 0) {
    const Line& line = lines_[std::min(token.line, lines_.size() - 1)];
    flow_shift_ =
        line.indent ? static_cast<long>(*line.indent) - static_cast<long>(indentation(line.text)) : line.shift;
  }
  bool closes = token.type == YAML_FLOW_MAPPING_END_TOKEN || token.type == YAML_FLOW_SEQUENCE_END_TOKEN;
  if (closes && flow_ > 0) --flow_;
  if (wide) last_ = &token;

  if (token.type == YAML_SCALAR_TOKEN) {
    // Its further lines move with what it belongs to, and are not touched otherwise.
    for (size_t next = token.line + 1; next < lines_.size() && lines_[next].start < token.end; ++next) {
      lines_[next].verbatim = true;
      lines_[next].shift = flow_ > 0 ? flow_shift_ : shift();
      note(next);
      told_ = next + 1;
    }
  }
  note(token.line);
}

void Layout::note(size_t line) {
  if (line >= lines_.size()) return;
  lines_[line].told = true;
  lines_[line].in_brackets = flow_ > 0;
  lines_[line].shift_after = flow_shift_;
  lines_[line].levels = levels_;
}

void Layout::start_line(const Token& token) {
  if (token.line < told_ || token.line >= lines_.size()) return;
  told_ = token.line + 1;
  Line& line = lines_[token.line];
  if (flow_ > 0) {
    line.shift = flow_shift_;
    return;
  }
  bool entry = token.type == YAML_KEY_TOKEN || token.type == YAML_BLOCK_ENTRY_TOKEN;
  bool document = token.type == YAML_DOCUMENT_START_TOKEN || token.type == YAML_DOCUMENT_END_TOKEN ||
                  token.type == YAML_VERSION_DIRECTIVE_TOKEN || token.type == YAML_TAG_DIRECTIVE_TOKEN;
  if (document || levels_.empty()) {
    line.indent = 0;
  } else {
    line.indent = entry || token.type == YAML_VALUE_TOKEN ? target() : target() + kStep;
  }
}

std::optional<std::string_view> Layout::between(yaml_token_type_t before, yaml_token_type_t after) {
  switch (after) {
    case YAML_FLOW_ENTRY_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN:
      // "{a: }": the colon of a key without a value needs the space.
      if (before == YAML_VALUE_TOKEN) return std::nullopt;
      return "";
    case YAML_VALUE_TOKEN:
      // "*name :": the colon could be part of the name.
      if (before == YAML_ALIAS_TOKEN) return std::nullopt;
      return "";
    default:
      break;
  }
  switch (before) {
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
      return "";
    case YAML_FLOW_ENTRY_TOKEN:
    case YAML_VALUE_TOKEN:
    case YAML_BLOCK_ENTRY_TOKEN:
    case YAML_ANCHOR_TOKEN:
      return " ";
    default:
      return std::nullopt;
  }
}

void Layout::space(const Token& before, const Token& after) {
  std::string_view gap = body_.substr(before.end, after.start - before.end);
  if (gap.find_first_not_of(" \t") != std::string_view::npos) return;  // a comment or the end of a line
  auto wanted = between(before.type, after.type);
  if (!wanted || gap == *wanted) return;
  lines_[after.line].edits.push_back({before.end, after.start, *wanted});
}

// A comment on a line of its own belongs to what follows it at the same column, else to the level that it stands in.
void Layout::place_comments() {
  const Line* before = nullptr;
  std::vector<const Line*> after(lines_.size(), nullptr);
  for (size_t i = lines_.size(); i-- > 1;) after[i - 1] = lines_[i].indent ? &lines_[i] : after[i];
  for (size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    if (line.told || !is_comment(line.text)) {
      if (line.told) before = &line;
      continue;
    }
    size_t column = indentation(line.text);
    if (before != nullptr && before->in_brackets) {
      line.shift = before->shift_after;
    } else if (after[i] != nullptr && indentation(after[i]->text) == column) {
      line.target = after[i]->indent;
    } else {
      line.target = 0;
      for (const Level& level : before == nullptr ? std::vector<Level>() : before->levels) {
        if (level.column <= column) line.target = level.target;
      }
    }
  }
}

std::string Layout::written(const Line& line) const {
  if (line.verbatim) {
    if (line.text.empty()) return "";
    size_t indent = indentation(line.text);
    long target = std::max(0L, static_cast<long>(indent) + line.shift);
    std::string out(static_cast<size_t>(target), ' ');
    std::string_view rest = line.text.substr(indent);
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    // What ends on this line may have more after it.
    return out + std::string(rest);
  }
  if (is_blank(line.text)) return "";
  size_t first = std::min(line.text.find_first_not_of(" \t"), line.text.size());
  std::optional<size_t> wanted = line.indent ? line.indent : line.target;
  long target = wanted ? static_cast<long>(*wanted) : std::max(0L, static_cast<long>(first) + line.shift);
  std::string out(static_cast<size_t>(target), ' ');
  size_t at = line.start + first;
  size_t end = line.start + without_tail(line.text).size();
  for (const Edit& edit : line.edits) {
    if (edit.start < at) continue;
    out += body_.substr(at, edit.start - at);
    out += edit.replacement;
    at = edit.end;
  }
  if (at < end) out += body_.substr(at, end - at);
  return out;
}

bool same(const YamlNode& a, const YamlNode& b) {
  if (a.kind != b.kind || a.plain != b.plain || a.text != b.text) return false;
  return std::ranges::equal(a.items, b.items, same) &&
         std::ranges::equal(a.entries, b.entries, [](const YamlEntry& x, const YamlEntry& y) {
           return x.key == y.key && same(x.value, y.value);
         });
}

}  // namespace

Result<std::string> lay_out_yaml(std::string_view text) {
  YamlDocument before = parse_yaml(text);
  if (!before.root || !before.problems.empty())
    return Error(ErrorCode::kInvalid, "it has errors; `freehold validate` shows them");
  YamlText marked(text);
  auto tokens = scan(marked);
  if (!tokens) return Error(ErrorCode::kInvalid, "it has errors; `freehold validate` shows them");
  std::string out = Layout(marked.body(), *std::move(tokens)).write();
  YamlDocument after = parse_yaml(out);
  if (!after.root || !after.problems.empty() || !same(*before.root, *after.root))
    return Error(ErrorCode::kInvalid, "it cannot be laid out without changing what it says; nothing was changed");
  return out;
}

}  // namespace freehold::codec
