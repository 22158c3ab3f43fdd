// help, completion, man, version: the verbs about the program itself.
#include <fmt/core.h>

#include "cli/command_words.h"
#include "cli/project.h"
#include "cli/screen.h"
#include "cli/verbs.h"

namespace freehold::cli {
namespace {

// A script or a page: there is no sensible JSON of it. FREEHOLD_OUTPUT, which is for all verbs, does not matter.
bool is_asked_as_data(const Invocation& invocation) {
  return invocation.output_asked && invocation.output != OutputForm::kHuman;
}

// Of the file with its includes; of the file alone while something in it is wrong.
std::vector<std::string> service_names(const Invocation& invocation) {
  os::Disk& disk = os::system_disk();
  LoadedProject loaded = load_project(disk, config_path(invocation), Depth::kTextOnly);
  if (!loaded.project) return outline_of(disk, config_path(invocation)).services;
  std::vector<std::string> names;
  for (const auto& [name, service] : loaded.project->organisation.services) names.push_back(name);
  return names;
}

int print_names(const Invocation& invocation, const std::vector<std::string>& names) {
  if (invocation.output == OutputForm::kJson) {
    print(codec::to_json(names).dump() + "\n");
    return kDone;
  }
  for (const std::string& name : names)
    print((invocation.output == OutputForm::kHuman ? name : codec::Json().set("name", name).dump()) + "\n");
  return kDone;
}

}  // namespace

int run_help(const Invocation& invocation) {
  GrammarInfo grammar = describe_grammar();
  const std::string& verb = invocation.arguments.empty() ? "" : invocation.arguments[0];
  const VerbInfo* found = grammar.find(verb);
  if (found == nullptr && !verb.empty()) {
    UsageProblem problem = no_such_verb(grammar, verb);
    return fail_usage(invocation, problem.message, problem.hint);
  }
  if (invocation.output == OutputForm::kHuman) {
    print(help_text(grammar, verb, Screen::text_columns()));
  } else {
    print((found == nullptr ? codec::to_json(grammar) : codec::to_json(*found)).dump() + "\n");
  }
  return kDone;
}

int run_completion(const Invocation& invocation) {
  const std::string& what = invocation.arguments[0];
  if (what == "services") return print_names(invocation, service_names(invocation));
  for (auto [name, shell] :
       {std::pair{"bash", Shell::kBash}, std::pair{"zsh", Shell::kZsh}, std::pair{"fish", Shell::kFish}}) {
    if (what != name) continue;
    if (is_asked_as_data(invocation))
      return fail_usage(invocation, fmt::format("what {} reads is a script, not JSON; leave out -o", name));
    print(completion_script(describe_grammar(), shell));
    return kDone;
  }
  return fail_usage(invocation, fmt::format("'{}' is no shell that is known here; there are bash, zsh and fish", what));
}

int run_man(const Invocation& invocation) {
  if (is_asked_as_data(invocation))
    return fail_usage(invocation, "the manual page is no JSON",
                      "freehold help -o json has every verb and option as data");
  print(manual_page(describe_grammar()));
  return kDone;
}

int run_version(const Invocation& invocation) {
  if (invocation.output == OutputForm::kHuman) {
    print("freehold " FREEHOLD_VERSION "\n");
  } else {
    print(codec::Json().set("version", FREEHOLD_VERSION).set("released", FREEHOLD_RELEASED).dump() + "\n");
  }
  return kDone;
}

}  // namespace freehold::cli
