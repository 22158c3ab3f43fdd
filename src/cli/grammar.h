// The command line as data, read out of the parser: what --help, the manual page and shell completion are written from,
// so that they cannot say different things.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/fields.h"

namespace freehold::cli {

struct OptionInfo {
  std::vector<std::string> names;  // "-o", "--output"
  std::string value;               // what it takes, as shown in help; empty for a flag
  std::string meaning;
  std::string variable{};  // of the environment, that is its default; may be empty
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, OptionInfo>& option) {
  v("names", option.names);
  v("value", option.value);
  v("meaning", option.meaning);
  v("variable", option.variable);
}

struct VerbInfo {
  std::string name;
  std::string group;  // the heading that it stands under
  std::string purpose;
  std::string usage;  // of what stands after the verb: "[FILE]", "SERVICE N"
  std::string operand{};
  std::string operand_meaning{};
  size_t most_operands = 0;
  std::vector<OptionInfo> options{};
  std::vector<std::string> examples{};  // one line each
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, VerbInfo>& verb) {
  v("name", verb.name);
  v("group", verb.group);
  v("purpose", verb.purpose);
  v("usage", verb.usage);
  v("operand", verb.operand);
  v("operand_meaning", verb.operand_meaning);
  v("most_operands", verb.most_operands);
  v("options", verb.options);
  v("examples", verb.examples);
}

struct GrammarInfo {
  std::string purpose;
  std::vector<OptionInfo> options;  // that every verb takes
  std::vector<std::string> examples;
  std::vector<VerbInfo> verbs{};
  // Null if there is none of that name.
  const VerbInfo* find(std::string_view name) const {
    for (const VerbInfo& verb : verbs) {
      if (verb.name == name) return &verb;
    }
    return nullptr;
  }
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, GrammarInfo>& grammar) {
  v("purpose", grammar.purpose);
  v("options", grammar.options);
  v("examples", grammar.examples);
  v("verbs", grammar.verbs);
}

GrammarInfo describe_grammar();

// ---- written from it; pure
// "freehold plan [OPTIONS] [FILE]"
std::string usage_of(const VerbInfo& verb);
// Of a verb; of the whole program if there is none of that name. Lines break at `columns`, never inside a word.
std::string help_text(const GrammarInfo& grammar, std::string_view name, size_t columns);
enum class Shell { kBash, kZsh, kFish };
std::string completion_script(const GrammarInfo& grammar, Shell shell);
// freehold(1) in mdoc, for man and mandoc.
std::string manual_page(const GrammarInfo& grammar);

}  // namespace freehold::cli
