#include "gateway/route_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/text.h"

namespace freehold::gateway {
namespace {

constexpr size_t kMostHostBytes = 255;

// Orders `pattern` against path + "/" without building that: below 0, 0 if the pattern is a prefix of it, above 0.
int compare_prefix(std::string_view pattern, std::string_view path) {
  size_t common = std::min(pattern.size(), path.size());
  if (int order = std::memcmp(pattern.data(), path.data(), common); order != 0) return order;
  if (pattern.size() <= path.size()) return 0;
  if (pattern[common] != '/') return static_cast<unsigned char>(pattern[common]) < '/' ? -1 : 1;
  return pattern.size() == path.size() + 1 ? 0 : 1;
}

}  // namespace

std::shared_ptr<const RouteTable> RouteTable::compile(const model::GatewaySnapshot& snapshot) {
  auto table = std::make_shared<RouteTable>();
  table->revision_ = snapshot.revision;
  for (const model::Route& route : snapshot.routing.routes) {
    Host* host = nullptr;
    if (route.host.empty()) {
      if (!table->default_host_) table->default_host_ = std::make_unique<Host>();
      host = table->default_host_.get();
    } else if (route.host.starts_with("*.")) {
      host = &table->wildcard_hosts_[to_lower(std::string_view(route.host).substr(2))];
    } else {
      host = &table->exact_hosts_[to_lower(route.host)];
    }
    for (const model::PathRule& rule : route.paths) {
      Target target = table->compile_target(rule, snapshot.files_root);
      if (rule.kind == model::TargetKind::kService) target.pool = table->pool_of_service(snapshot, rule.service);
      (rule.prefix ? host->prefix : host->exact).push_back({rule.pattern, std::move(target)});
    }
  }
  for (auto& [name, host] : table->exact_hosts_) finish(host);
  for (auto& [name, host] : table->wildcard_hosts_) finish(host);
  if (table->default_host_) finish(*table->default_host_);
  for (const auto& [service, port] : snapshot.routing.addresses) {
    Target target;
    target.pool = table->pool_of_service(snapshot, service);
    target.balance = model::Balance::kLeastConnections;
    table->internal_.emplace(service, std::move(target));
  }
  for (const auto& [service, speaks] : snapshot.routing.speaks_http) table->speaks_http_.emplace(service, speaks);
  return table;
}

Target RouteTable::compile_target(const model::PathRule& rule, const std::string& files_root) {
  Target target;
  target.kind = rule.kind;
  target.balance = rule.balance;
  target.redirect = rule.redirect;
  target.status = rule.status;
  if (rule.kind == model::TargetKind::kUpstreams) target.pool = pool_of_upstreams(rule.upstreams);
  if (rule.kind == model::TargetKind::kFiles) {
    auto [at, added] = roots_.try_emplace(rule.files);
    if (added) {
      auto root = StaticRoot::open(files_root + "/" + rule.files);
      if (root) {
        at->second = *std::move(root);
      } else {
        log_error("gateway", "files of {} cannot be served: {}", rule.pattern, root.error().message());
      }
    }
    target.root = at->second.get();
  }
  return target;
}

uint32_t RouteTable::pool_of_service(const model::GatewaySnapshot& snapshot, const std::string& service) {
  auto [at, added] = pool_index_.try_emplace(service, static_cast<uint32_t>(pools_.size()));
  if (added) {
    auto endpoints = snapshot.endpoints.find(service);
    pools_.push_back({service,
                      false,
                      endpoints == snapshot.endpoints.end() ? std::vector<model::Endpoint>() : endpoints->second,
                      {}});
  }
  return at->second;
}

uint32_t RouteTable::pool_of_upstreams(const std::vector<model::Upstream>& upstreams) {
  std::string name;
  for (const model::Upstream& upstream : upstreams) {
    if (!name.empty()) name += ",";
    name += fmt::format("{}:{}", upstream.host, upstream.port);
    if (upstream.weight != 1) name += fmt::format("*{}", upstream.weight);
  }
  // A service's name holds no colon, so the two kinds of pool never share a name.
  auto [at, added] = pool_index_.try_emplace(name, static_cast<uint32_t>(pools_.size()));
  if (added) pools_.push_back({name, true, {}, upstreams});
  return at->second;
}

void RouteTable::finish(Host& host) {
  auto by_text = [](const Pattern& a, const Pattern& b) { return a.text < b.text; };
  auto same_text = [](const Pattern& a, const Pattern& b) { return a.text == b.text; };
  for (auto* patterns : {&host.exact, &host.prefix}) {
    // Validation refuses a pattern that stands twice; should it happen all the same, the first one counts.
    std::stable_sort(patterns->begin(), patterns->end(), by_text);
    patterns->erase(std::unique(patterns->begin(), patterns->end(), same_text), patterns->end());
  }
  for (Pattern& pattern : host.prefix) {
    std::string_view text = pattern.text;
    if (text.ends_with('/')) text.remove_suffix(1);
    pattern.target.prefix = text;
  }
  // In sorted order a pattern's prefixes come before it, and the nearest of them is the one before it or one of that
  // one's own prefixes.
  for (size_t i = 1; i < host.prefix.size(); ++i) {
    int32_t parent = static_cast<int32_t>(i) - 1;
    while (parent >= 0 && !host.prefix[i].text.starts_with(host.prefix[static_cast<size_t>(parent)].text)) {
      parent = host.prefix[static_cast<size_t>(parent)].parent;
    }
    host.prefix[i].parent = parent;
  }
}

const RouteTable::Host* RouteTable::find_host(std::string_view name) const {
  char lower[kMostHostBytes];
  if (name.size() > sizeof(lower)) return default_host_.get();
  size_t length = 0;
  bool bracketed = name.starts_with('[');  // an IPv6 address holds colons of its own
  for (char c : name) {
    if (c == ':' && !bracketed) break;
    if (c == ']') bracketed = false;
    lower[length++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  if (length > 0 && lower[length - 1] == '.') --length;
  std::string_view host(lower, length);
  if (auto found = exact_hosts_.find(host); found != exact_hosts_.end()) return &found->second;
  if (!wildcard_hosts_.empty()) {
    size_t dot = host.find('.');
    if (dot != std::string_view::npos && dot > 0) {
      auto found = wildcard_hosts_.find(host.substr(dot + 1));
      if (found != wildcard_hosts_.end()) return &found->second;
    }
  }
  return default_host_.get();
}

const Target* RouteTable::find_path(const Host& host, std::string_view path) {
  auto exact = std::lower_bound(host.exact.begin(), host.exact.end(), path,
                                [](const Pattern& pattern, std::string_view value) { return pattern.text < value; });
  if (exact != host.exact.end() && exact->text == path) return &exact->target;
  // The last pattern that does not sort after the path; if it is no prefix of it, one of its own prefixes may be.
  auto after = std::upper_bound(
      host.prefix.begin(), host.prefix.end(), path,
      [](std::string_view value, const Pattern& pattern) { return compare_prefix(pattern.text, value) > 0; });
  auto at = static_cast<int32_t>(after - host.prefix.begin()) - 1;
  while (at >= 0) {
    const Pattern& pattern = host.prefix[static_cast<size_t>(at)];
    if (compare_prefix(pattern.text, path) == 0) return &pattern.target;
    at = pattern.parent;
  }
  return nullptr;
}

const Target* RouteTable::find(std::string_view host, std::string_view path) const {
  const Host* found = find_host(host);
  return found == nullptr ? nullptr : find_path(*found, path);
}

const Target* RouteTable::internal(const std::string& service) const {
  auto found = internal_.find(service);
  return found == internal_.end() ? nullptr : &found->second;
}

bool RouteTable::speaks_http(const std::string& service) const {
  auto found = speaks_http_.find(service);
  return found != speaks_http_.end() && found->second;
}

}  // namespace freehold::gateway
