// --help and `freehold help`, laid out for the width that there is.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "cli/columns.h"
#include "cli/grammar.h"

namespace freehold::cli {
namespace {

constexpr size_t kIndent = 2;
// What is longer has its meaning on the next line; on a narrow terminal two fifths of its columns.
constexpr size_t kWidestLeft = 26;
constexpr std::string_view kExitCodes =
    "Exit codes: 0 done, 1 failed, 2 there are changes, 3 bad file, 4 refused, 5 nobody answers, 6 rolled back, "
    "64 usage.";

// Words of `text` in lines of at most `width` columns; a longer word has a line of its own.
std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines = {""};
  for (std::string_view word : split(text, ' ')) {
    std::string& line = lines.back();
    if (!line.empty() && columns_of(line) + 1 + columns_of(word) > width) {
      lines.emplace_back(word);
    } else {
      if (!line.empty()) line += ' ';
      line += word;
    }
  }
  return lines;
}

std::string opening(std::string_view purpose, const std::string& usage, size_t columns) {
  return join(wrap(purpose, columns), "\n") + "\n\n" + join(wrap("Usage: " + usage, columns), "\n  ") + "\n";
}

struct Item {
  std::string left;
  std::string meaning;
};

std::string list(std::string_view heading, const std::vector<Item>& items, size_t columns) {
  if (items.empty()) return "";
  size_t left = 0;
  for (const Item& item : items) left = std::max(left, columns_of(item.left));
  left = std::min({left, kWidestLeft, columns * 2 / 5}) + kIndent;
  std::string out = fmt::format("\n{}:\n", heading);
  size_t width = columns - std::min(columns, kIndent + left);
  for (const Item& item : items) {
    std::string line = std::string(kIndent, ' ') + item.left;
    bool fits = columns_of(item.left) + kIndent <= left;
    line += fits ? std::string(left - columns_of(item.left), ' ') : "\n" + std::string(kIndent + left, ' ');
    std::vector<std::string> lines = wrap(item.meaning, width);
    out += line + join(lines, "\n" + std::string(kIndent + left, ' ')) + "\n";
  }
  return out;
}

std::vector<Item> items_of(const std::vector<OptionInfo>& options) {
  std::vector<Item> out;
  for (const OptionInfo& option : options) {
    std::string left = join(option.names, ", ");
    if (option.names.size() == 1 && left.starts_with("--")) left.insert(0, 4, ' ');  // below the long ones
    if (!option.value.empty()) left += " " + option.value;
    out.push_back({left, option.meaning + (option.variable.empty() ? "" : fmt::format(" [{}]", option.variable))});
  }
  return out;
}

std::string examples_text(const std::vector<std::string>& examples) {
  std::string out = examples.empty() ? "" : "\nExamples:\n";
  for (const std::string& example : examples) out += std::string(kIndent, ' ') + example + "\n";
  return out;
}

std::string of_program(const GrammarInfo& grammar, size_t columns) {
  std::string out = opening(grammar.purpose, "freehold [OPTIONS] VERB [ARGUMENTS]", columns);
  std::vector<std::string> groups;
  for (const VerbInfo& verb : grammar.verbs) {
    if (std::ranges::find(groups, verb.group) == groups.end()) groups.push_back(verb.group);
  }
  for (const std::string& group : groups) {
    std::vector<Item> items;
    for (const VerbInfo& verb : grammar.verbs) {
      if (verb.group == group) items.push_back({verb.name, verb.purpose});
    }
    out += list(group, items, columns);
  }
  out += list("Options of every verb", items_of(grammar.options), columns) + examples_text(grammar.examples);
  for (const std::string& line : wrap(kExitCodes, columns)) out += (line.starts_with("Exit") ? "\n" : "") + line + "\n";
  return out;
}

}  // namespace

std::string usage_of(const VerbInfo& verb) {
  std::string out = "freehold " + verb.name;
  if (!verb.options.empty()) out += " [OPTIONS]";
  if (!verb.usage.empty()) out += " " + verb.usage;
  return out;
}

std::string help_text(const GrammarInfo& grammar, std::string_view name, size_t columns) {
  const VerbInfo* verb = grammar.find(name);
  if (verb == nullptr) return of_program(grammar, columns);
  std::string out = opening(verb->purpose, usage_of(*verb), columns);
  if (!verb->operand.empty()) out += list("Arguments", {{verb->operand, verb->operand_meaning}}, columns);
  out += list("Options", items_of(verb->options), columns);
  out += list("Options of every verb", items_of(grammar.options), columns);
  return out + examples_text(verb->examples);
}

}  // namespace freehold::cli
