#include "model/words.h"

#include <fmt/core.h>

namespace freehold::model {
namespace {

constexpr std::string_view kShellHint = "no shell reads this; quote the character, or write: sh -c '...'";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Splitter {
 public:
  explicit Splitter(std::string_view command) : command_(command) {}

  Words split() {
    while (at_ < command_.size()) {
      if (is_space(command_[at_])) {
        finish_word();
        ++at_;
      } else {
        if (!in_word_) start_ = at_;
        in_word_ = true;
        take();
      }
    }
    finish_word();
    return std::move(out_);
  }

 private:
  char next() const { return at_ + 1 < command_.size() ? command_[at_ + 1] : '\0'; }

  void finish_word() {
    if (in_word_) out_.words.push_back({std::move(word_), start_, at_ - start_});
    word_.clear();
    in_word_ = false;
  }
  void problem(size_t length, std::string message, std::string_view hint) {
    out_.problems.push_back({at_, length, std::move(message), std::string(hint)});
  }
  void shell(size_t length) {
    // One is enough to say it: `a && b | c` is one misunderstanding.
    if (!shell_seen_) problem(length, fmt::format("'{}' means nothing here", command_.substr(at_, length)), kShellHint);
    shell_seen_ = true;
  }

  void take() {
    char c = command_[at_];
    if (c == '\'' || c == '"') return take_quoted(c);
    if (c == '\\') return take_escape();
    if (c == '$') return take_dollar();
    if (std::string_view("|&;<>()`").find(c) != std::string_view::npos) {
      shell(next() == c ? 2 : 1);
    }
    word_ += c;
    ++at_;
  }
  void take_dollar() {
    if (next() == '(') {
      shell(2);
    } else if (starts_name(next())) {
      size_t end = at_ + 1;
      while (end < command_.size() && (starts_name(command_[end]) || (command_[end] >= '0' && command_[end] <= '9'))) {
        ++end;
      }
      std::string_view name = command_.substr(at_ + 1, end - at_ - 1);
      problem(
          end - at_, fmt::format("'${}' means nothing here", name),
          name == "PORT" ? "did you mean ${PORT}?" : "no shell reads this; ${env.NAME} is a value of your environment");
    } else if (next() == '$') {
      word_ += command_[at_++];
    } else if (next() == '{') {
      while (at_ < command_.size() && command_[at_] != '}') word_ += command_[at_++];
      if (at_ == command_.size()) return;
    }
    word_ += command_[at_++];
  }
  void take_escape() {
    if (at_ + 1 == command_.size()) {
      out_.problems.push_back({at_, 1, "the command ends after a backslash", "write \\\\ for a backslash"});
      ++at_;
      return;
    }
    add_literal(command_[at_ + 1]);
    at_ += 2;
  }
  void add_literal(char c) {
    if (c == '$') word_ += '$';
    word_ += c;
  }
  void take_quoted(char quote) {
    size_t opened = at_++;
    while (at_ < command_.size() && command_[at_] != quote) {
      bool escapes =
          quote == '"' && command_[at_] == '\\' && (next() == '"' || next() == '\\' || next() == '$' || next() == '`');
      if (escapes) {
        add_literal(command_[++at_]);
      } else {
        word_ += command_[at_];
      }
      ++at_;
    }
    if (at_ == command_.size()) {
      out_.problems.push_back({opened, 1, "this quote is not closed", "close it, or write \\ before it"});
      return;
    }
    ++at_;
  }

  std::string_view command_;
  Words out_;
  std::string word_;
  size_t at_ = 0;
  size_t start_ = 0;
  bool in_word_ = false;
  bool shell_seen_ = false;
};

}  // namespace

Words split_words(std::string_view command) { return Splitter(command).split(); }

}  // namespace freehold::model
