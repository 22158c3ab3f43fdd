#include "cli/command_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "base/text.h"

namespace freehold::cli {
namespace {

// What other programs call it.
struct Habit {
  std::string_view word;
  std::string_view command;
};
constexpr Habit kHabits[] = {
    {"ps", "status"},
    {"ls", "status"},
    {"get", "status"},
    {"list", "status"},
    {"show", "status"},
    {"describe", "status"},
    {"top", "status"},
    {"is-active", "status"},
    {"apply", "up"},
    {"deploy", "up"},
    {"start", "up"},
    {"reload", "up"},
    {"destroy", "down"},
    {"stop", "down"},
    {"delete", "down"},
    {"remove", "down"},
    {"undo", "rollback"},
    {"revert", "rollback"},
    {"journal", "logs"},
    {"check", "validate"},
    {"lint", "validate"},
    {"config", "validate"},
    {"preview", "plan"},
    {"format", "fmt"},
    {"attach", "exec web --"},
    {"ssh", "exec web --"},
    {"shell", "exec web --"},
    {"cordon", "drain"},
    {"rollout", "status --watch"},
    {"watch", "status --watch"},
};

std::optional<OutputForm> form_named(std::string_view name) {
  if (name == "human") return OutputForm::kHuman;
  if (name == "json") return OutputForm::kJson;
  if (name == "ndjson") return OutputForm::kNdjson;
  return std::nullopt;
}

const OptionInfo* find_option(std::span<const OptionInfo> options, std::string_view name) {
  for (const OptionInfo& option : options) {
    if (std::ranges::find(option.names, name) != option.names.end()) return &option;
  }
  return nullptr;
}

// An option as it is written: "-o json", "-ojson", "--output=json".
struct Written {
  const OptionInfo* option = nullptr;
  std::optional<std::string> value;  // none: it is the next word, if it takes one
};
Written read_option(const GrammarInfo& grammar, const VerbInfo* verb, const std::string& word) {
  auto find = [&](std::string_view name) {
    const OptionInfo* found = find_option(grammar.options, name);
    return found == nullptr && verb != nullptr ? find_option(verb->options, name) : found;
  };
  size_t equals = word.find('=');
  if (word.starts_with("--")) {
    if (equals == std::string::npos) return {find(word), std::nullopt};
    return {find(word.substr(0, equals)), word.substr(equals + 1)};
  }
  const OptionInfo* option = find(word.substr(0, 2));
  if (word.size() == 2) return {option, std::nullopt};
  return {option, word.substr(word[2] == '=' ? 3 : 2)};
}

UsageProblem unexpected(const GrammarInfo& grammar, const VerbInfo& verb, const std::string& word) {
  if (!word.starts_with('-') || word == "-") {
    if (verb.most_operands == 0)
      return {fmt::format("'freehold {}' takes no argument, but there is '{}'", verb.name, word), ""};
    return {fmt::format("'{}' is one argument too many for 'freehold {} {}'", word, verb.name, verb.usage), ""};
  }
  std::string name = word.substr(0, word.find('='));
  std::vector<std::string_view> names;
  for (const auto* options : {&grammar.options, &verb.options}) {
    for (const OptionInfo& option : *options) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  std::string_view near = name.starts_with("--") ? near_name(name, names) : "";
  return {fmt::format("'{}' is no option of 'freehold {}'{}", name, verb.name,
                      near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
          ""};
}

UsageProblem bad_value(const GrammarInfo& grammar, const VerbInfo& verb, const UsageFault& fault) {
  const OptionInfo* option = find_option(grammar.options, fault.option);
  if (option == nullptr) option = find_option(verb.options, fault.option);
  std::string takes = option == nullptr ? "" : fmt::format("{} takes: {}", fault.option, option->meaning);
  if (fault.kind == UsageFault::Kind::kNoValue) return {fmt::format("'{}' needs a value", fault.option), takes};
  return {fmt::format("'{}' cannot be '{}'", fault.option, fault.word), takes};
}

UsageProblem problem_of(const GrammarInfo& grammar, const VerbInfo& verb, const UsageFault& fault) {
  switch (fault.kind) {
    case UsageFault::Kind::kUnexpected:
      return unexpected(grammar, verb, fault.word);
    case UsageFault::Kind::kMissing:
      return {fmt::format("'freehold {}' needs {}", verb.name, verb.operand), ""};
    case UsageFault::Kind::kNoValue:
    case UsageFault::Kind::kBadValue:
      return bad_value(grammar, verb, fault);
    case UsageFault::Kind::kOther:
      break;
  }
  return {fault.library, ""};
}

}  // namespace

OutputForm form_of_environment() {
  const char* named = std::getenv("FREEHOLD_OUTPUT");
  return form_named(named == nullptr ? "" : named).value_or(OutputForm::kHuman);
}

CommandWords read_words(const GrammarInfo& grammar, std::vector<std::string> words) {
  CommandWords out;
  const VerbInfo* verb = nullptr;
  std::vector<size_t> operands;  // where they stand
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (!words[i].starts_with('-') || words[i] == "-") {
      if (out.verb.empty()) {
        out.verb = words[i];
        verb = grammar.find(out.verb);
        continue;
      }
      operands.push_back(i);
      if (out.verb == "exec") break;  // the rest is a command
      continue;
    }
    Written written = read_option(grammar, verb, words[i]);
    if (written.option == nullptr || written.option->value.empty()) continue;
    if (!written.value && i + 1 < words.size()) written.value = words[++i];
    if (written.option->names.back() == "--output" && written.value) out.form = form_named(*written.value);
  }
  if (out.verb == "exec" && !operands.empty()) {
    auto first = words.begin() + static_cast<std::ptrdiff_t>(operands.front()) + 1;
    auto command = first != words.end() && *first == "--" ? first + 1 : first;
    out.command.assign(command, words.end());
    words.erase(first, words.end());
    if (!out.command.empty()) words.emplace_back("COMMAND");
  }
  // `explain help` and `exec help` mean something else.
  bool takes_words = out.verb == "explain" || out.verb == "exec" || out.verb == "help";
  out.asks_for_help = verb != nullptr && !takes_words && words.size() == 2 && words.back() == "help";
  out.words = std::move(words);
  return out;
}

UsageProblem no_such_verb(const GrammarInfo& grammar, const std::string& word) {
  std::string message = fmt::format("'{}' is no verb", word);
  std::string_view meant;
  for (const Habit& habit : kHabits) {
    if (habit.word == word) meant = habit.command;
  }
  if (meant.empty()) {
    std::vector<std::string_view> names;
    for (const VerbInfo& verb : grammar.verbs) names.emplace_back(verb.name);
    meant = near_name(word, names);
  }
  if (!meant.empty()) message += fmt::format("; did you mean 'freehold {}'?", meant);
  return {std::move(message), "see: freehold help"};
}

UsageProblem explain_fault(const GrammarInfo& grammar, const CommandWords& line, const UsageFault& fault) {
  if (line.verb.empty() && fault.option.empty()) {
    bool option = fault.kind == UsageFault::Kind::kUnexpected;
    return {option ? fmt::format("'{}' is no option of freehold", fault.word) : "there is no verb",
            "see: freehold help"};
  }
  const VerbInfo* verb = grammar.find(line.verb);
  if (verb == nullptr && !line.verb.empty()) return no_such_verb(grammar, line.verb);
  VerbInfo none;
  UsageProblem problem = problem_of(grammar, verb == nullptr ? none : *verb, fault);
  if (!problem.hint.empty()) problem.hint += "\n";
  if (verb != nullptr) problem.hint += fmt::format("usage: {}\n", usage_of(*verb));
  problem.hint += verb == nullptr ? "see: freehold help" : fmt::format("see: freehold help {}", verb->name);
  return problem;
}

}  // namespace freehold::cli
