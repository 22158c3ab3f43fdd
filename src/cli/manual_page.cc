#include <fmt/core.h>

#include "base/text.h"
#include "cli/grammar.h"

namespace freehold::cli {
namespace {

// A line of text for mdoc: nothing in it is a macro or an escape.
std::string plain(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// An argument of a macro.
std::string argument(std::string_view text) {
  std::string out = "\"";
  for (char c : plain(text)) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string list_options(const std::vector<OptionInfo>& options) {
  std::string out = ".Bl -tag -width Ds\n";
  for (const OptionInfo& option : options) {
    std::string item;
    for (const std::string& name : option.names)
      item += fmt::format("{}Fl {}", item.empty() ? "" : " , ", plain(name.substr(1)));
    if (!option.value.empty()) item += fmt::format(" Ar {}", argument(option.value));
    out += fmt::format(".It {}\n{}\n", item, plain(option.meaning));
  }
  return out + ".El\n";
}

}  // namespace

std::string manual_page(const GrammarInfo& grammar) {
  std::string out = R"(.Dd )" FREEHOLD_RELEASED R"(
.Dt FREEHOLD 1
.Os "Freehold )" FREEHOLD_VERSION R"("
.Sh NAME
.Nm freehold
.Nd run the computing of an organisation from one file
.Sh SYNOPSIS
.Nm
.Op Ar options
.Ar verb
.Op Ar arguments
.Sh DESCRIPTION
.Nm
starts the programs that
.Pa freehold.yaml
names, watches them, brings requests to them, and replaces them one by one
when the file or a program changes.
.Pp
Every verb takes these options:
)" + list_options(grammar.options);
  out += ".Sh VERBS\n";
  for (const VerbInfo& verb : grammar.verbs) {
    out += fmt::format(".Ss {}\n", argument(verb.name + (verb.usage.empty() ? "" : " " + verb.usage)));
    out += plain(verb.purpose) + ".\n";
    if (!verb.operand.empty())
      out +=
          fmt::format(".Bl -tag -width Ds\n.It Ar {}\n{}\n.El\n", argument(verb.operand), plain(verb.operand_meaning));
    if (!verb.options.empty()) out += list_options(verb.options);
    if (!verb.examples.empty()) {
      out += ".Bd -literal -offset indent\n";
      for (const std::string& example : verb.examples) out += plain(example) + "\n";
      out += ".Ed\n";
    }
  }
  out += R"(.Sh ENVIRONMENT
.Bl -tag -width FREEHOLD_CONFIG
.It Ev FREEHOLD_CONFIG
as
.Fl \-config
.It Ev FREEHOLD_STATE
as
.Fl \-state
.It Ev FREEHOLD_OUTPUT
as
.Fl \-output
.It Ev NO_COLOR
if set, nothing is coloured
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
done
.It 1
failed
.It 2
.Cm plan \-\-detailed\-exitcode
and
.Cm fmt \-\-diff :
there are changes
.It 3
the file, or what it points at, is wrong
.It 4
not permitted, or somebody else changed it first
.It 5
nobody answers at that state directory
.It 6
the deploy failed and was undone
.It 64
wrong usage
.El
)";
  return out;
}

}  // namespace freehold::cli
