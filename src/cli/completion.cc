// Scripts that make shells complete `freehold`. Names of services are asked of the program itself, which reads them
// from the file and says nothing where there is none.
#include <fmt/core.h>

#include <map>

#include "base/text.h"
#include "cli/grammar.h"

namespace freehold::cli {
namespace {

constexpr std::string_view kServices = "freehold completion services -o human 2>/dev/null";

constexpr std::string_view kBash = R"sh(# bash completion for freehold: source <(freehold completion bash)
_freehold() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= operand= options= i
  case $before in
    -c|--config) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --state) COMPREPLY=($(compgen -d -- "$current")); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'human json ndjson' -- "$current")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -c|--config|--state|-o|--output) ((i++)) ;;
      -*) ;;
      *) verb=${COMP_WORDS[i]}; break ;;
    esac
  done
  case $verb in
    '') COMPREPLY=($(compgen -W '@verbs@ @options@' -- "$current")); return ;;
@cases@  esac
  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$options @options@" -- "$current"))
  elif [[ $operand == file ]]; then COMPREPLY=($(compgen -f -- "$current"))
  elif [[ $operand == service ]]; then COMPREPLY=($(compgen -W "$(@services@)" -- "$current"))
  fi
}
complete -o filenames -F _freehold freehold
)sh";

constexpr std::string_view kZsh = R"sh(#compdef freehold
# zsh completion for freehold: freehold completion zsh > a folder of $fpath/_freehold
_freehold_services() {
  local -a services
  services=(${(f)"$(@services@)"})
  compadd -a services
}
_freehold() {
  local -a verbs
  verbs=(
@verbs@  )
  local curcontext=$curcontext state line
  _arguments -C@options@ \
    '1:verb:->verb' '*::argument:->argument'
  case $state in
    verb) _describe verb verbs ;;
    argument) case $line[1] in
@cases@    esac ;;
  esac
}
if [[ $funcstack[1] == _freehold ]]; then _freehold "$@"; else compdef _freehold freehold; fi
)sh";

// A script with what varies put in. What is put in is not looked at again.
std::string fill(std::string_view script, const std::map<std::string_view, std::string>& parts) {
  std::string out;
  while (!script.empty()) {
    size_t start = script.find('@');
    size_t end = start == std::string_view::npos ? start : script.find('@', start + 1);
    if (end == std::string_view::npos) break;
    std::string_view name = script.substr(start, end - start + 1);
    auto part = parts.find(name);
    bool services = name == "@services@";
    bool known = services || part != parts.end();
    out += script.substr(0, start);
    if (known)
      out += services ? kServices : std::string_view(part->second);
    else
      out += '@';
    script.remove_prefix(known ? end + 1 : start + 1);
  }
  return out + std::string(script);
}

enum class Operand { kNone, kFile, kService };

Operand operand_of(const VerbInfo& verb) {
  if (verb.usage.find("FILE") != std::string::npos) return Operand::kFile;
  for (std::string_view word : {"SERVICE", "INSTANCE", "SUBJECT"}) {
    if (verb.usage.find(word) != std::string::npos) return Operand::kService;
  }
  return Operand::kNone;
}

std::string words(const std::vector<OptionInfo>& options) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options) names.insert(names.end(), option.names.begin(), option.names.end());
  return join(names, " ");
}

std::string bash(const GrammarInfo& grammar) {
  std::vector<std::string> verbs;
  std::string cases;
  for (const VerbInfo& verb : grammar.verbs) {
    verbs.push_back(verb.name);
    Operand operand = operand_of(verb);
    cases += fmt::format("    {}) options='{}'{} ;;\n", verb.name, words(verb.options),
                         operand == Operand::kFile      ? " operand=file"
                         : operand == Operand::kService ? " operand=service"
                                                        : "");
  }
  return fill(kBash, {{"@verbs@", join(verbs, " ")}, {"@options@", words(grammar.options)}, {"@cases@", cases}});
}

// For zsh's _arguments: what stands inside '...[...]'.
std::string zsh_quoted(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out;
}

std::string zsh_options(const std::vector<OptionInfo>& options) {
  std::string out;
  for (const OptionInfo& option : options) {
    std::string after;
    if (option.names.back() == "--output") {
      after = ":form:(human json ndjson)";
    } else if (option.names.back() == "--state") {
      after = ":directory:_files -/";
    } else if (!option.value.empty()) {
      after = option.names.back() == "--config" ? ":file:_files" : fmt::format(":{}:", zsh_quoted(option.value));
    }
    for (const std::string& name : option.names)
      out += fmt::format(" \\\n        '{}[{}]{}'", name, zsh_quoted(option.meaning), after);
  }
  return out;
}

std::string zsh(const GrammarInfo& grammar) {
  std::string verbs, cases;
  for (const VerbInfo& verb : grammar.verbs) {
    verbs += fmt::format("    '{}:{}'\n", verb.name, zsh_quoted(verb.purpose));
    Operand operand = operand_of(verb);
    cases += fmt::format("      {}) _arguments{}{}{} ;;\n", verb.name, zsh_options(verb.options),
                         zsh_options(grammar.options),
                         operand == Operand::kFile      ? " \\\n        '*:file:_files'"
                         : operand == Operand::kService ? " \\\n        '*:service:_freehold_services'"
                                                        : "");
  }
  return fill(kZsh, {{"@verbs@", verbs}, {"@options@", zsh_options(grammar.options)}, {"@cases@", cases}});
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_option(const OptionInfo& option, const std::string& condition) {
  std::string out = fmt::format("complete -c freehold{}", condition);
  for (const std::string& name : option.names)
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (option.names.back() == "--output") {
    out += " -x -a 'human json ndjson'";
  } else if (option.names.back() == "--config" || option.names.back() == "--state") {
    out += " -r -F";
  } else if (!option.value.empty()) {
    out += " -x";
  }
  return out + fmt::format(" -d {}\n", fish_quoted(option.meaning));
}

std::string fish(const GrammarInfo& grammar) {
  std::string out = "# fish completion for freehold: freehold completion fish | source\ncomplete -c freehold -f\n";
  for (const OptionInfo& option : grammar.options) out += fish_option(option, "");
  for (const VerbInfo& verb : grammar.verbs) {
    out += fmt::format("complete -c freehold -n __fish_use_subcommand -a {} -d {}\n", verb.name,
                       fish_quoted(verb.purpose));
    std::string here = fmt::format(" -n '__fish_seen_subcommand_from {}'", verb.name);
    for (const OptionInfo& option : verb.options) out += fish_option(option, here);
    Operand operand = operand_of(verb);
    if (operand == Operand::kFile) out += fmt::format("complete -c freehold{} -F\n", here);
    if (operand == Operand::kService) out += fmt::format("complete -c freehold{} -a '({})'\n", here, kServices);
  }
  return out;
}

}  // namespace

std::string completion_script(const GrammarInfo& grammar, Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return bash(grammar);
    case Shell::kZsh:
      return zsh(grammar);
    case Shell::kFish:
      return fish(grammar);
  }
  return "";
}

}  // namespace freehold::cli
