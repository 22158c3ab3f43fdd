// The words of a command line as people type them, before they are parsed: which verb is meant, whether help is asked
// for, and, where the parser refuses them, what is wrong in a person's words. Pure.
//
// Habits that other programs taught are heeded: `freehold VERB help`, options of a command behind `exec SERVICE`
// without `--`, and the names that others gave to a verb (`ps`, `apply`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/grammar.h"
#include "cli/invocation.h"

namespace freehold::cli {

struct CommandWords {
  std::vector<std::string> words;  // to be parsed: as given, but for what follows `exec SERVICE`
  // Of exec, without its "--": nothing in it is ours. One word stands for it in `words`, if there is one.
  std::vector<std::string> command;
  std::string verb;                // the word in its place, which need not be one; empty: there is none
  std::optional<OutputForm> form;  // named by -o, if it is one
  bool asks_for_help = false;      // `VERB help`
};
CommandWords read_words(const GrammarInfo& grammar, std::vector<std::string> words);

// By FREEHOLD_OUTPUT, for errors that come before that is parsed.
OutputForm form_of_environment();

// What the parser found wrong.
struct UsageFault {
  enum class Kind {
    kOther,       // `library` says what
    kUnexpected,  // `word`: an option that is none, or one argument too many
    kMissing,     // the verb needs more arguments
    kNoValue,     // `option` needs one
    kBadValue,    // `option` cannot be `word`
  };
  Kind kind = Kind::kOther;
  std::string word;
  std::string option;
  std::string library;
};
struct UsageProblem {
  std::string message;
  std::string hint;  // lines that say what would be right
};
UsageProblem explain_fault(const GrammarInfo& grammar, const CommandWords& line, const UsageFault& fault);
// Of a word that is no verb.
UsageProblem no_such_verb(const GrammarInfo& grammar, const std::string& word);

}  // namespace freehold::cli
