#include "leaving/quoting.h"

#include <fmt/core.h>

#include <algorithm>

namespace freehold::leaving {
namespace {

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7F; }

void put_escaped(char c, std::string& out) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (is_control(c)) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  } else {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

}  // namespace

std::string unit_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '%') out += '%';
    put_escaped(c, out);
  }
  return out;
}

std::string command_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '%' || c == '$') out += c;
    put_escaped(c, out);
  }
  return out;
}

std::string quoted(const std::string& escaped) {
  constexpr std::string_view kPlain = "-_./:=@%+,$";
  bool plain = !escaped.empty() && std::ranges::all_of(escaped, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlain.find(c) != std::string_view::npos;
  });
  return plain ? escaped : "\"" + escaped + "\"";
}

std::string environment_value(std::string_view value) {
  std::string out = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\' || c == '`' || c == '$') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string nginx_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string regex_text(std::string_view text) {
  constexpr std::string_view kSpecial = "\\^$.|?*+()[]{}\"";
  std::string out;
  for (char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace freehold::leaving
