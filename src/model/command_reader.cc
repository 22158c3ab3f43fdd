#include "model/command_reader.h"

#include <fmt/core.h>

#include <algorithm>

#include "model/names.h"
#include "model/words.h"

namespace freehold::model {
namespace {

constexpr size_t kMostWords = 1024;
constexpr size_t kLongestCommand = 64 << 10;
constexpr std::string_view kCommandExpected = "a command, or a list of its words";

// One word or value on its way from the text of the file to a template of the model.
class TemplateReader {
 public:
  TemplateReader(Reading& reading, const Value& value, const std::string& service, TemplateUse use, Mentions& mentions)
      : reading_(reading), value_(value), service_(service), use_(use), mentions_(mentions) {}

  // `offset` is where the text stands in the scalar, `exact` whether it stands there letter by letter.
  std::optional<std::string> read(const std::string& text, size_t offset, size_t length, bool exact);

  // After read(): the text without substitutions, if it has none but ${env...}.
  const std::optional<std::string>& literal() const { return literal_; }

 private:
  Place place_of(size_t offset, size_t length) const {
    return exact_ ? value_.part(offset_ + offset, length) : value_.part(offset_, length_);
  }
  void take(const TemplatePart& part);
  void take_environment(const TemplatePart& part, const Place& place);

  Reading& reading_;
  const Value& value_;
  const std::string& service_;
  TemplateUse use_;
  Mentions& mentions_;
  size_t offset_ = 0;
  size_t length_ = 0;
  bool exact_ = true;
  bool failed_ = false;
  std::string out_;
  std::optional<std::string> literal_;
};

std::optional<std::string> TemplateReader::read(const std::string& text, size_t offset, size_t length, bool exact) {
  offset_ = offset;
  length_ = length;
  exact_ = exact;
  literal_.emplace();
  if (text.find('\0') != std::string::npos) {
    reading_.report.error(place_of(0, length), "a zero byte may not stand in a command or a value");
    return std::nullopt;
  }
  Template parsed = parse_template(text);
  for (const TemplateProblem& problem : parsed.problems) {
    std::vector<std::string> hints;
    if (!problem.hint.empty()) hints.push_back(problem.hint);
    reading_.report.error(place_of(problem.offset, problem.length), problem.message, std::move(hints));
    failed_ = true;
  }
  for (const TemplatePart& part : parsed.parts) take(part);
  if (failed_) return std::nullopt;
  return std::move(out_);
}

void TemplateReader::take(const TemplatePart& part) {
  Place place = place_of(part.offset, part.length);
  switch (part.kind) {
    case PartKind::kText:
      out_ += write_part(part);
      if (literal_) *literal_ += part.text;
      return;
    case PartKind::kEnvironment:
      return take_environment(part, place);
    case PartKind::kPort:
      if (use_ == TemplateUse::kPrepare) {
        reading_.report.error(place, "prepare has no ${PORT}", {"it runs before an instance and its port exist"});
        failed_ = true;
      }
      mentions_.port = true;
      break;
    case PartKind::kSecret:
      if (use_ != TemplateUse::kEnvironment) {
        reading_.report.error(place, fmt::format("the secret {} would show in the process list", quote(part.text)),
                              {"give it to the service by its secrets or env, not as a word of a command"});
        failed_ = true;
        return;
      }
      reading_.secret_uses.push_back({part.text, place});
      break;
    case PartKind::kServiceAddress:
      reading_.service_uses.push_back({service_, part.text, place, ServiceUse::Kind::kAddress});
      break;
    case PartKind::kVolumePath:
      mentions_.volumes.push_back({part.text, place});
      break;
  }
  out_ += write_part(part);
  literal_.reset();
}

void TemplateReader::take_environment(const TemplatePart& part, const Place& place) {
  auto known = reading_.environment.find(part.text);
  if (known == reading_.environment.end()) {
    std::optional<std::string> value;
    if (is_environment_name(part.text) && reading_.input.environment) value = reading_.input.environment(part.text);
    if (!value) {
      reading_.report.error(place, fmt::format("the environment variable {} is not set", quote(part.text)),
                            {"set it where this command runs, or write the value here"});
      failed_ = true;
      return;
    }
    if (value->size() > kLongestCommand || value->find('\0') != std::string::npos) {
      reading_.report.error(place, fmt::format("the value of the environment variable {} is longer than {} bytes, or "
                                               "holds a zero byte",
                                               quote(part.text), kLongestCommand));
      failed_ = true;
      return;
    }
    known = reading_.environment.emplace(part.text, *std::move(value)).first;
  }
  out_ += escape_template(known->second);
  if (literal_) *literal_ += known->second;
}

bool is_captured(std::string_view word) { return word.starts_with("./") || word.starts_with("../"); }

// The word is a script for some program to read, such as that of `sh -c`, rather than the name of one file.
bool is_script(std::string_view word) { return word.find_first_of(" \t\r\n;|&<>") != std::string_view::npos; }

class CommandReader {
 public:
  CommandReader(Reading& reading, const Value& command, const std::string& what, const std::string& service,
                TemplateUse use, Mentions& mentions)
      : reading_(reading), command_(command), what_(what), service_(service), use_(use), mentions_(mentions) {}

  std::vector<std::string> read();

 private:
  void read_string();
  void read_list();
  void add(const Value& value, const std::string& text, size_t offset, size_t length, bool exact);
  bool check_program(const Place& place, const std::string& text);

  Reading& reading_;
  const Value& command_;
  const std::string& what_;
  const std::string& service_;
  TemplateUse use_;
  Mentions& mentions_;
  std::vector<std::string> words_;
};

std::vector<std::string> CommandReader::read() {
  if (command_.is_list()) {
    read_list();
  } else if (command_.is_scalar() && !command_.is_nothing()) {
    read_string();
  } else {
    refuse(reading_, command_, what_, kCommandExpected);
  }
  return std::move(words_);
}

void CommandReader::read_string() {
  const std::string& text = command_.node->text;
  if (text.size() > kLongestCommand) {
    reading_.report.error(command_.place(), fmt::format("{} is longer than {} bytes", what_, kLongestCommand));
    return;
  }
  Words split = split_words(text);
  for (const WordsProblem& problem : split.problems) {
    reading_.report.error(command_.part(problem.offset, problem.length), problem.message, {problem.hint});
  }
  if (split.words.empty() && split.problems.empty()) refuse(reading_, command_, what_, kCommandExpected);
  if (split.words.size() > kMostWords) {
    reading_.report.error(command_.place(), fmt::format("{} has more than {} words", what_, kMostWords));
    return;
  }
  for (const Word& word : split.words) {
    bool exact = text.compare(word.offset, word.length, word.text) == 0;
    add(command_, word.text, word.offset, word.length, exact);
  }
}

void CommandReader::read_list() {
  const auto& items = command_.node->items;
  if (items.empty() || items.size() > kMostWords) {
    reading_.report.error(command_.place(), fmt::format("{} has {} words", what_, items.size()),
                          {fmt::format("expected: 1 to {} words, the program first", kMostWords)});
    return;
  }
  for (const codec::YamlNode& item : items) {
    Value value{&item, command_.source};
    if (!value.is_scalar() || (value.is_nothing() && item.text.empty()) || item.text.size() > kLongestCommand) {
      refuse(reading_, value, fmt::format("a word of {}", what_), "a text");
      continue;
    }
    add(value, item.text, 0, item.text.size(), true);
  }
}

// The first word. Relative names without "./" would be looked up in PATH, which is never what was meant.
bool CommandReader::check_program(const Place& place, const std::string& text) {
  size_t slash = text.find('/');
  size_t equals = text.find('=');
  if (equals != std::string::npos && equals < slash && is_environment_name(text.substr(0, equals))) {
    reading_.report.error(place, fmt::format("{} is no program", quote(text)),
                          {"no shell reads this; set environment variables in env"});
    return false;
  }
  if (slash == std::string::npos || slash == 0 || is_captured(text) || text.starts_with("${")) return true;
  reading_.report.error(place, fmt::format("{} is neither absolute nor beside the file", quote(text)),
                        {fmt::format("did you mean {}?", quote("./" + text))});
  return false;
}

void CommandReader::add(const Value& value, const std::string& text, size_t offset, size_t length, bool exact) {
  Place place = value.part(offset, length);
  if (words_.empty() && !check_program(place, text)) return;
  TemplateReader reader(reading_, value, service_, use_, mentions_);
  auto word = reader.read(text, offset, length, exact);
  if (!word) {
    words_.emplace_back();  // keeps the next word from being taken for the program; the parse has failed anyway
    return;
  }
  if (text.find("=./") != std::string::npos) {
    reading_.report.warning(place, fmt::format("the path in {} is not taken along", quote(text)),
                            {"only a word that starts with './' is; write it as a word of its own"});
  }
  bool script = is_captured(text) && is_script(text);
  if (script) {
    reading_.report.warning(place, fmt::format("nothing that {} names is taken along", quote(text)),
                            {"it holds more than one word; name each file as a word of its own"});
  }
  if (script || !is_captured(text)) {
    words_.push_back(*std::move(word));
    return;
  }
  if (!reader.literal()) {
    reading_.report.error(place, fmt::format("{} is known only when an instance starts", quote(text)),
                          {"a path that is taken along may hold ${env.NAME}, and no other substitution"});
    words_.emplace_back();
    return;
  }
  // The path as written is quoted in messages: with the environment's value in it, it might say too much.
  auto path = read_relative(reading_, place, *reader.literal(), text);
  if (!path) {
    words_.emplace_back();
    return;
  }
  mentions_.paths.insert(*path);
  reading_.captures.push_back({*path, place});
  words_.push_back("./" + escape_template(*path));
}

}  // namespace

std::vector<std::string> read_command(Reading& reading, const Value& value, const std::string& what,
                                      const std::string& service, TemplateUse use, Mentions& mentions) {
  return CommandReader(reading, value, what, service, use, mentions).read();
}

std::optional<std::string> read_environment_value(Reading& reading, const Value& value, const std::string& what,
                                                  const std::string& service, Mentions& mentions) {
  bool missing = value.node->plain && value.node->text.empty();
  if (!value.is_scalar() || missing || value.node->text.size() > kLongestCommand) {
    refuse(reading, value, what, missing ? "a text; '' for the empty one" : "a text");
    return std::nullopt;
  }
  TemplateReader reader(reading, value, service, TemplateUse::kEnvironment, mentions);
  return reader.read(value.node->text, 0, value.node->text.size(), true);
}

}  // namespace freehold::model
