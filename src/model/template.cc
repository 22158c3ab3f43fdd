#include "model/template.h"

#include <fmt/core.h>

#include <array>

#include "base/text.h"
#include "model/diagnostics.h"

namespace freehold::model {
namespace {

struct Form {
  std::string_view prefix;
  std::string_view suffix;  // after NAME
  PartKind kind;
  bool built;
};

constexpr std::array kForms = {
    Form{"secret.", "", PartKind::kSecret, true},
    Form{"service.", ".address", PartKind::kServiceAddress, true},
    Form{"volume.", ".path", PartKind::kVolumePath, true},
    Form{"env.", "", PartKind::kEnvironment, true},
    Form{"database.", "", PartKind::kText, false},
    Form{"cache.", "", PartKind::kText, false},
    Form{"config.", "", PartKind::kText, false},
};
constexpr std::string_view kExpected =
    "expected: ${PORT}, ${secret.NAME}, ${service.NAME.address}, ${volume.NAME.path} or ${env.NAME}; $$ for a dollar";

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
         std::string_view::npos;
}

std::string hint_for(std::string_view inside) {
  constexpr std::array<std::string_view, 1> kPort = {"PORT"};
  if (!near_name(inside, kPort).empty()) return "did you mean ${PORT}?";
  for (const Form& form : kForms) {
    if (form.built && inside.starts_with(form.prefix) && !form.suffix.empty()) {
      return fmt::format("expected: ${{{}NAME{}}}", form.prefix, form.suffix);
    }
  }
  if (is_name(inside)) {
    return fmt::format("write ${{env.{0}}} for the value in your environment now, or $${{{0}}} to leave it as it is",
                       inside);
  }
  return std::string(kExpected);
}

// What stands between ${ and }.
void read_inside(Template& out, std::string_view inside, size_t offset) {
  TemplatePart part{PartKind::kText, std::string(inside), offset, inside.size() + 3};
  if (inside == "PORT") {
    part.kind = PartKind::kPort;
    part.text.clear();
    out.parts.push_back(std::move(part));
    return;
  }
  for (const Form& form : kForms) {
    if (!inside.starts_with(form.prefix)) continue;
    if (!form.built) {
      out.problems.push_back(
          {part.offset, part.length,
           fmt::format("{} is known, but not built yet in this version", quote(fmt::format("${{{}}}", inside))), ""});
      return;
    }
    std::string_view name = inside.substr(form.prefix.size());
    if (!name.ends_with(form.suffix)) continue;
    name.remove_suffix(form.suffix.size());
    if (!is_name(name)) continue;
    part.kind = form.kind;
    part.text = name;
    out.parts.push_back(std::move(part));
    return;
  }
  out.problems.push_back({part.offset, part.length,
                          fmt::format("unknown substitution {}", quote(fmt::format("${{{}}}", inside))),
                          hint_for(inside)});
}

}  // namespace

Template parse_template(std::string_view text) {
  Template out;
  std::string literal;
  size_t literal_start = 0;
  auto flush = [&](size_t end) {
    if (!literal.empty()) {
      out.parts.push_back({PartKind::kText, std::move(literal), literal_start, end - literal_start});
    }
    literal.clear();
  };
  for (size_t i = 0; i < text.size();) {
    if (literal.empty()) literal_start = i;
    if (text.substr(i).starts_with("$$")) {
      literal += '$';
      i += 2;
    } else if (text.substr(i).starts_with("${")) {
      flush(i);
      size_t end = text.find('}', i);
      if (end == std::string_view::npos) {
        out.problems.push_back({i, text.size() - i, "'${' without '}'", "close it, or write $${ for the text itself"});
        return out;
      }
      read_inside(out, text.substr(i + 2, end - i - 2), i);
      i = end + 1;
    } else {
      literal += text[i++];
    }
  }
  flush(text.size());
  return out;
}

std::string escape_template(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

std::string write_part(const TemplatePart& part) {
  if (part.kind == PartKind::kText) return escape_template(part.text);
  if (part.kind == PartKind::kPort) return "${PORT}";
  for (const Form& form : kForms) {
    if (form.built && form.kind == part.kind) return fmt::format("${{{}{}{}}}", form.prefix, part.text, form.suffix);
  }
  return {};
}

Result<std::string> fill_in(std::string_view text,
                            const std::function<Result<std::string>(const TemplatePart& part)>& value) {
  Template parsed = parse_template(text);
  if (!parsed.problems.empty()) return Error(ErrorCode::kInvalid, parsed.problems.front().message);
  std::string out;
  for (const TemplatePart& part : parsed.parts) {
    if (part.kind == PartKind::kText) {
      out += part.text;
      continue;
    }
    FH_ASSIGN(std::string filled, value(part));
    out += filled;
  }
  return out;
}

}  // namespace freehold::model
