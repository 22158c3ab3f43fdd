// The command line as data: what shell completion and the manual page are written from. It is read out of the same
// parser that prints --help, so the three cannot say different things.
#pragma once

#include <string>
#include <vector>

namespace freehold::cli {

struct OptionInfo {
  std::vector<std::string> names;  // "-o", "--output"
  std::string value;               // what it takes, as shown in help; empty for a flag
  std::string meaning;
};

struct VerbInfo {
  std::string name;
  std::string purpose;
  std::string usage;  // of what stands after the verb: "[FILE]", "SERVICE N"
  std::vector<OptionInfo> options;
  std::vector<std::string> examples;  // one line each
};

struct GrammarInfo {
  std::vector<OptionInfo> options;  // that every verb takes
  std::vector<VerbInfo> verbs;
};

GrammarInfo describe_grammar();

// ---- written from it; pure
enum class Shell { kBash, kZsh, kFish };
std::string completion_script(const GrammarInfo& grammar, Shell shell);
// freehold(1) in mdoc, for man and mandoc.
std::string manual_page(const GrammarInfo& grammar);

}  // namespace freehold::cli
