#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "control/plan_parts.h"

namespace freehold::control {
namespace {

constexpr size_t kDigestShown = 12;

std::string route_name(const model::Route& route, const model::PathRule& rule) {
  return fmt::format("{}{}{}", route.host.empty() ? "*" : route.host, rule.pattern, rule.prefix ? "*" : "");
}

std::string target(const model::PathRule& rule, const Composed& composed) {
  std::string balance = rule.balance == model::Balance::kRoundRobin ? "" : ", balance: least-connections";
  switch (rule.kind) {
    case model::TargetKind::kService:
      return rule.service + balance;
    case model::TargetKind::kUpstreams: {
      std::vector<std::string> parts;
      for (const model::Upstream& upstream : rule.upstreams) {
        std::string weight = upstream.weight == 1 ? "" : fmt::format(" (weight {})", upstream.weight);
        parts.push_back(fmt::format("http://{}:{}{}", upstream.host, upstream.port, weight));
      }
      return join(parts, ", ") + balance;
    }
    case model::TargetKind::kFiles: {
      auto folder = composed.folders.find(rule.files);
      return fmt::format("files {} (contents {})", folder == composed.folders.end() ? "" : folder->second,
                         rule.files.substr(0, kDigestShown));
    }
    case model::TargetKind::kRedirect:
      return fmt::format("redirect {} to {}", rule.status, rule.redirect);
  }
  return "";
}

std::map<std::string, std::string> targets(const Composed& composed) {
  std::map<std::string, std::string> out;
  for (const model::Route& route : composed.routing.routes) {
    for (const model::PathRule& rule : route.paths)
      out.insert_or_assign(route_name(route, rule), target(rule, composed));
  }
  return out;
}

std::string listeners(const model::Gateway& gateway) {
  std::vector<std::string> parts;
  for (const model::Listen& listen : gateway.http) {
    bool brackets = listen.address.find(':') != std::string::npos;
    parts.push_back(fmt::format("{}{}{}:{}", brackets ? "[" : "", listen.address.empty() ? "*" : listen.address,
                                brackets ? "]" : "", listen.port));
  }
  return join(parts, ", ");
}

std::map<std::string, std::pair<std::string, std::vector<std::string>>> secrets_of(const Composed& composed) {
  std::map<std::string, std::pair<std::string, std::vector<std::string>>> out;
  for (const auto& [name, service] : composed.services) {
    for (const auto& [secret, hash] : service->spec.runtime.secret_hashes) {
      auto& entry = out[secret];
      entry.first = hash;
      entry.second.push_back(name);
    }
  }
  return out;
}

}  // namespace

std::vector<RouteChange> route_changes(const Composed* before, const Composed& after) {
  if (before != nullptr && before->routing.routes == after.routing.routes) return {};
  std::map<std::string, std::string> old_targets;
  if (before != nullptr) old_targets = targets(*before);
  std::vector<RouteChange> out;
  for (auto& [route, new_target] : targets(after)) {
    auto old = old_targets.find(route);
    if (old == old_targets.end()) {
      out.push_back({route, "", new_target});
      continue;
    }
    if (old->second != new_target) out.push_back({route, old->second, new_target});
    old_targets.erase(old);
  }
  for (auto& [route, old_target] : old_targets) out.push_back({route, old_target, ""});
  return out;
}

std::vector<KeyChange> gateway_changes(const Composed* before, const Composed& after) {
  model::Gateway none;
  none.cores = 0;
  const model::Gateway& from = before != nullptr ? before->routing.gateway : none;
  const model::Gateway& to = after.routing.gateway;
  std::vector<KeyChange> out;
  if (from.http != to.http) out.push_back({"gateway.listen", listeners(from), listeners(to), Effect::kInPlace});
  if (from.cores != to.cores) {
    out.push_back({"gateway.cores", before != nullptr ? fmt::format("{}", from.cores) : "", fmt::format("{}", to.cores),
                   Effect::kInPlace});
  }
  return out;
}

std::vector<SecretChange> secret_changes(const Composed* before, const Composed& after) {
  auto now_used = secrets_of(after);
  if (before == nullptr && now_used.empty()) return {};
  auto used = before != nullptr ? secrets_of(*before) : decltype(now_used)();
  std::vector<SecretChange> out;
  for (auto& [name, entry] : now_used) {
    auto old = used.find(name);
    if (old == used.end()) {
      out.push_back({name, SecretNews::kUsed, std::move(entry.second)});
    } else if (old->second.first != entry.first) {
      out.push_back({name, SecretNews::kNewValue, std::move(entry.second)});
    }
  }
  for (auto& [name, entry] : used) {
    if (!now_used.contains(name)) out.push_back({name, SecretNews::kUnused, std::move(entry.second)});
  }
  return out;
}

}  // namespace freehold::control
