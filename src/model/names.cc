#include "model/names.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <csignal>

#include "base/text.h"

namespace freehold::model {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return lower(c) || (c >= 'A' && c <= 'Z'); }

bool matches(std::string_view text, size_t most, bool (*first)(char), bool (*rest)(char)) {
  return !text.empty() && text.size() <= most && first(text.front()) && std::ranges::all_of(text.substr(1), rest);
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return lower(c) || digit(c) || c == '-' || c == '_'; });
}

bool is_domain(std::string_view text) { return text.size() <= 253 && std::ranges::all_of(split(text, '.'), is_label); }

}  // namespace

bool is_name(std::string_view text) {
  return matches(text, 39, lower, [](char c) { return lower(c) || digit(c) || c == '-'; });
}

bool is_environment_name(std::string_view text) {
  return matches(
      text, 128, [](char c) { return letter(c) || c == '_'; },
      [](char c) { return letter(c) || digit(c) || c == '_'; });
}

bool is_secret_name(std::string_view text) {
  return matches(text, 63, letter, [](char c) { return letter(c) || digit(c) || c == '_' || c == '-'; });
}

bool is_user_name(std::string_view text) {
  return matches(
      text, 32, [](char c) { return lower(c) || c == '_'; },
      [](char c) { return lower(c) || digit(c) || c == '_' || c == '-'; });
}

bool is_timezone(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  return std::ranges::all_of(split(text, '/'), [](std::string_view part) {
    return matches(part, 64, letter, [](char c) { return letter(c) || digit(c) || c == '_' || c == '-' || c == '+'; });
  });
}

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return text.size() < INET_ADDRSTRLEN && inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return text.size() < INET6_ADDRSTRLEN && inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

std::string host_problem(std::string_view host) {
  if (host.find("://") != std::string_view::npos || host.find('/') != std::string_view::npos) {
    return "write the host alone, without 'http://' and without a path";
  }
  if (std::ranges::any_of(host, [](char c) { return (c & 0x80) != 0; })) {
    return "write an international name in its 'xn--' form";
  }
  if (host.find(':') != std::string_view::npos) return "write the host without a port; gateway.listen has the ports";
  if (host.ends_with('.')) return "write the host without the final dot";
  if (host.starts_with("*.")) host.remove_prefix(2);
  if (host.find('*') != std::string_view::npos) return "'*' may only stand for the first label: *.coop.example";
  if (!is_domain(host)) return "expected: a host such as coop.example or *.coop.example";
  return {};
}

bool is_upstream_host(std::string_view host) { return is_ipv6(host) || is_domain(to_lower(host)); }

std::string pattern_problem(std::string_view pattern) {
  if (!pattern.starts_with('/')) return "a path starts with '/'";
  if (pattern.size() > 1024) return "a path has at most 1024 bytes";
  if (pattern.find('*') != std::string_view::npos) return "'*' may only stand at the end, after a '/': \"/api/*\"";
  if (pattern.find_first_of("?#") != std::string_view::npos) return "a path ends before '?' and '#'";
  if (pattern.find_first_of("%\\") != std::string_view::npos)
    return "write the characters themselves, without '%' and '\\'";
  if (pattern.find("//") != std::string_view::npos) return "a path has no empty parts ('//')";
  if (std::ranges::any_of(pattern, [](char c) { return c == 0x7F || (c >= 0 && c <= ' '); })) {
    return "a path has no spaces and no control characters";
  }
  for (std::string_view part : split(pattern, '/')) {
    if (part == "." || part == "..") return "a path has no parts '.' and '..'";
  }
  return {};
}

bool parse_port(std::string_view text, uint16_t& port) {
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && stop == text.data() + text.size() && port != 0;
}

int signal_number(std::string_view name) {
  struct Signal {
    std::string_view name;
    int number;
  };
  constexpr Signal kSignals[] = {{"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"KILL", SIGKILL},
                                 {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"TERM", SIGTERM}, {"WINCH", SIGWINCH}};
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const Signal& signal : kSignals) {
    if (signal.name == name) return signal.number;
  }
  return 0;
}

}  // namespace freehold::model
