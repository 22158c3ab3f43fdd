#include "agent/policy.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "codec/yaml.h"

namespace freehold::agent {
namespace {

using codec::YamlNode;

Error wrong(const codec::YamlMark& mark, std::string_view message) {
  return Error(ErrorCode::kInvalid, fmt::format("policy.yaml:{}:{}: {}", mark.line, mark.column, message));
}

Result<uint16_t> parse_port(const YamlNode& node, std::string_view text) {
  uint16_t port = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || stop != text.data() + text.size() || port == 0) {
    return wrong(node.mark, fmt::format("'{}' is not a range of ports such as 20000-29999", node.text));
  }
  return port;
}

Result<PortRange> parse_ports(const YamlNode& node) {
  auto parts = split(node.text, '-');
  if (parts.size() != 2)
    return wrong(node.mark, fmt::format("'{}' is not a range of ports such as 20000-29999", node.text));
  FH_ASSIGN(uint16_t first, parse_port(node, trim(parts[0])));
  FH_ASSIGN(uint16_t last, parse_port(node, trim(parts[1])));
  if (last < first) return wrong(node.mark, "the last port is smaller than the first");
  return PortRange{first, last};
}

Result<std::vector<std::string>> parse_words(const YamlNode& node) {
  if (node.kind != codec::YamlKind::kList) return wrong(node.mark, "expected a list, such as [a, b]");
  std::vector<std::string> words;
  for (const YamlNode& item : node.items) {
    if (item.kind != codec::YamlKind::kScalar || item.text.empty()) return wrong(item.mark, "expected a word");
    words.push_back(item.text);
  }
  return words;
}

// Whether `path` is `folder` or lies below it. Both absolute; a ".." anywhere is never below anything.
bool lies_below(std::string_view path, std::string_view folder) {
  if (path.find("/../") != std::string_view::npos || path.ends_with("/..")) return false;
  while (folder.size() > 1 && folder.ends_with('/')) folder.remove_suffix(1);
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

}  // namespace

Result<Policy> parse_policy(std::string_view text) {
  Policy policy;
  codec::YamlDocument document = codec::parse_yaml(text);
  if (!document.problems.empty()) return wrong(document.problems.front().mark, document.problems.front().message);
  if (!document.root || (document.root->kind == codec::YamlKind::kScalar && document.root->text.empty())) return policy;
  if (document.root->kind != codec::YamlKind::kMapping)
    return wrong(document.root->mark, "expected keys such as ports, volumes, root, users");
  for (const codec::YamlEntry& entry : document.root->entries) {
    if (entry.key == "ports") {
      FH_ASSIGN(policy.ports, parse_ports(entry.value));
    } else if (entry.key == "volumes") {
      FH_ASSIGN(policy.volume_roots, parse_words(entry.value));
    } else if (entry.key == "root") {
      FH_ASSIGN(policy.root_services, parse_words(entry.value));
    } else if (entry.key == "users") {
      FH_ASSIGN(policy.users, parse_words(entry.value));
    } else {
      return wrong(entry.key_mark, fmt::format("unknown key '{}'; known are ports, volumes, root, users", entry.key));
    }
  }
  for (const std::string& folder : policy.volume_roots) {
    if (!folder.starts_with('/'))
      return Error(ErrorCode::kInvalid,
                   fmt::format("policy.yaml: the volume root '{}' must be an absolute path", folder));
  }
  return policy;
}

Result<void> check_allowed(const Policy& policy, const model::Runtime& runtime, std::string_view own_volumes) {
  auto denied = [&](std::string message) {
    return Error(ErrorCode::kDenied, fmt::format("service {}: {}", runtime.service, message));
  };
  if (runtime.user == "root") {
    if (std::ranges::count(policy.root_services, runtime.service) == 0) {
      return denied(
          fmt::format("may not run as root; `root: [{}]` in the agent's policy.yaml would allow it", runtime.service));
    }
  } else if (runtime.user != "auto" && std::ranges::count(policy.users, runtime.user) == 0) {
    return denied(fmt::format("may not run as the user {0}; `users: [{0}]` in the agent's policy.yaml would allow it",
                              runtime.user));
  }
  for (const model::Volume& volume : runtime.volumes) {
    if (volume.path.empty()) continue;
    bool below_root = std::ranges::any_of(policy.volume_roots, [&](const std::string& folder) {
      return lies_below(volume.path, folder) && volume.path != folder;
    });
    if (!below_root && !lies_below(volume.path, own_volumes)) {
      return denied(fmt::format(
          "volume {} is at {}, which lies below none of {}; add its folder to `volumes` in the agent's policy.yaml",
          volume.name, volume.path, join(policy.volume_roots, ", ")));
    }
  }
  return {};
}

}  // namespace freehold::agent
