#include "codec/yaml_message.h"

#include <fmt/core.h>

namespace freehold::codec {
namespace {

// Which places a message is about: where reading stopped, where the thing that was read began, or both.
enum class Shown { kHere, kOpening, kBoth };

struct Translation {
  std::string_view problem;
  std::string_view context;  // empty: any
  std::string_view message;
  std::string_view hint;
  Shown shown;
};

constexpr std::string_view kUnclosed = "this quote is not closed";
constexpr std::string_view kUnclosedHint = "close it, or put a value that holds a quote in the other kind of quotes";

constexpr Translation kTranslations[] = {
    {"found unexpected end of stream", "while scanning a quoted scalar", kUnclosed, kUnclosedHint, Shown::kOpening},
    {"found unexpected document indicator", "while scanning a quoted scalar", kUnclosed, kUnclosedHint,
     Shown::kOpening},
    {"mapping values are not allowed in this context", "", "a ':' may not stand here",
     "put a value that holds ': ' in quotes, or check the indentation of this line", Shown::kHere},
    {"did not find expected key", "", "this line does not fit the indentation of the lines above it",
     "keys of one mapping start in the same column; values with special characters need quotes", Shown::kBoth},
    {"did not find expected '-' indicator", "", "this line does not fit the list above it",
     "items of one list start with '- ' in the same column", Shown::kBoth},
    {"could not find expected ':'", "", "a ':' is missing after the key", "write 'key: value'", Shown::kBoth},
    {"did not find expected ',' or ']'", "", "expected ',' or ']' in the list", "close the list that was opened",
     Shown::kBoth},
    {"did not find expected ',' or '}'", "", "expected ',' or '}' in the mapping", "close the mapping that was opened",
     Shown::kBoth},
    {"did not find expected node content", "", "a value is missing here", "", Shown::kHere},
    {"block sequence entries are not allowed in this context", "", "a list item '- ' may not start here",
     "start the list on a line of its own", Shown::kHere},
    {"block mapping keys are not allowed in this context", "", "a key may not start here",
     "start the mapping on a line of its own", Shown::kHere},
    {"did not find expected <document start>", "", "nothing may follow here",
     "the whole file is one mapping: 'key: value' lines that start in the same column", Shown::kHere},
    {"found unknown escape character", "", "this escape is unknown",
     "in double quotes a backslash starts an escape; write \\\\ or use single quotes", Shown::kHere},
    {"found a tab character that violates indentation", "", "a tab may not indent a line", "use spaces", Shown::kHere},
    {"found a tab character where an indentation space is expected", "", "a tab may not indent a line", "use spaces",
     Shown::kHere},
    {"found incompatible YAML document", "", "this version of YAML is not understood", "remove the %YAML line",
     Shown::kHere},
    {"found undefined tag handle", "", "a tag ('!') may not stand here", "put a value that starts with '!' in quotes",
     Shown::kHere},
};

}  // namespace

YamlProblem explain_yaml_error(const YamlText& text, YamlPrivacy privacy, std::string_view problem,
                               std::string_view context, const YamlMark& mark, const YamlMark& opened) {
  YamlProblem out;
  out.mark = mark;
  char here = text.at(mark);
  bool tabbed = text.line_before(mark).find_first_not_of(" \t") == std::string_view::npos &&
                (here == '\t' || text.line_before(mark).find('\t') != std::string_view::npos);
  if (tabbed) {
    out.message = "a tab may not indent a line";
    out.hint = "use spaces";
    return out;
  }
  if (here == '{' && text.before(mark) == '$' && problem.starts_with("did not find expected ','")) {
    out.message = "'${' needs quotes here";
    out.hint = "inside [...] and {...} write \"${NAME}\" in quotes";
    return out;
  }
  if (problem == "found character that cannot start any token") {
    bool show = privacy == YamlPrivacy::kOpen && here > ' ' && here < 0x7F;
    out.message = show ? fmt::format("a value may not start with '{}'", here) : "a value may not start like this";
    out.hint = "put it in quotes";
    return out;
  }
  for (const Translation& translation : kTranslations) {
    if (translation.problem != problem) continue;
    if (!translation.context.empty() && translation.context != context) continue;
    out.message = translation.message;
    out.hint = translation.hint;
    if (translation.shown == Shown::kOpening) out.mark = opened;
    if (translation.shown == Shown::kBoth && opened.offset != mark.offset) out.first = opened;
    return out;
  }
  out.message = fmt::format("not valid YAML: {}", problem);
  return out;
}

}  // namespace freehold::codec
