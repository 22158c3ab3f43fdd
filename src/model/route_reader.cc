#include <fmt/core.h>

#include <algorithm>

#include "base/display.h"
#include "base/text.h"
#include "model/names.h"
#include "model/sections.h"

namespace freehold::model {
namespace {

std::string shown(const std::string& host) { return host.empty() ? "for any host" : fmt::format("for '{}'", host); }

// Anything that would end or split the Location header, or that a browser would read as another site.
bool is_location(std::string_view text) {
  bool visible = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
  if (!visible || text.find_first_of("\"<>\\^`{|}") != std::string_view::npos) return false;
  if (text.starts_with('/')) return !text.starts_with("//");
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    std::string_view host = text.substr(scheme.size());
    host = host.substr(0, host.find_first_of("/?#"));
    return !host.empty() && host.find('@') == std::string_view::npos;
  }
  return false;
}

void read_redirect(Reading& reading, const Section& section, PathRule& rule) {
  rule.kind = TargetKind::kRedirect;
  Value value = *section.find("redirect");
  std::string what = section.name_of("redirect");
  constexpr std::string_view kExpected = "an http or https URL, or a path that starts with one '/', in ASCII";
  auto text = read_text(reading, value, what, kExpected);
  if (text && !is_location(*text)) {
    refuse(reading, value, what, kExpected);
  } else if (text) {
    rule.redirect = *text;
  }
  auto status = section.find("status");
  if (!status) return;
  constexpr std::array kStatuses = {301, 302, 303, 307, 308};
  auto number = read_count(reading, *status, section.name_of("status"), 100, 599);
  if (number && std::ranges::find(kStatuses, static_cast<int>(*number)) == kStatuses.end()) {
    refuse(reading, *status, section.name_of("status"), "301, 302, 303, 307 or 308");
  } else {
    assign(rule.status, number);
  }
}

void read_upstream_list(Reading& reading, const Value& value, const std::string& what, PathRule& rule) {
  rule.kind = TargetKind::kUpstreams;
  if (value.node->items.empty()) return refuse(reading, value, what, "at least one upstream");
  for (const codec::YamlNode& node : value.node->items) {
    Value item{&node, value.source};
    std::string item_what = fmt::format("an upstream of {}", what);
    if (!item.is_mapping()) {
      if (auto upstream = read_upstream(reading, item, item_what)) rule.upstreams.push_back(*std::move(upstream));
      continue;
    }
    Section section(reading, item, item_what, kUpstreamKeys);
    std::optional<Upstream> upstream;
    if (auto url = section.find("url")) {
      upstream = read_upstream(reading, *url, section.name_of("url"));
    } else {
      reading.report.error(item.place(), fmt::format("{} has no 'url'", item_what),
                           {"expected: {url: \"http://10.0.0.9:8080\", weight: 2}"});
    }
    std::optional<uint64_t> weight = 1;
    if (auto number = section.find("weight")) {
      weight = read_count(reading, *number, section.name_of("weight"), 1, 1000);
    }
    if (!upstream || !weight) continue;
    upstream->weight = static_cast<uint32_t>(*weight);
    rule.upstreams.push_back(*std::move(upstream));
  }
}

void read_target(Reading& reading, const Value& value, const std::string& what, PathRule& rule) {
  if (value.is_list()) return read_upstream_list(reading, value, what, rule);
  auto text = read_text(reading, value, what, "a service, an upstream such as http://10.0.0.9:8080, or a list of them");
  if (!text) return;
  if (text->find("://") != std::string::npos) {
    rule.kind = TargetKind::kUpstreams;
    if (auto upstream = read_upstream(reading, value, what)) rule.upstreams.push_back(*std::move(upstream));
    return;
  }
  bool later = text->starts_with("freehold.") || text->starts_with("database.") || text->starts_with("cache.");
  if (later) return refuse_unbuilt(reading, value.place(), *text, what);
  rule.kind = TargetKind::kService;
  rule.service = *text;
  reading.service_uses.push_back({"", *text, value.place(), ServiceUse::Kind::kRoute});
}

void read_rule(Reading& reading, const Value& value, const std::string& what, PathRule& rule) {
  if (value.is_scalar() && !value.is_nothing()) {
    return refuse(reading, value, what,
                  fmt::format("a mapping such as {{to: {}}}", printable(value.node->text.substr(0, 40))));
  }
  Section section(reading, value, what, kPathKeys);
  if (!section.valid()) return;
  int kinds = section.has("to") + section.has("files") + section.has("redirect");
  if (kinds != 1) {
    reading.report.error(
        value.place(), fmt::format("{} has {} of to, files and redirect", what, kinds == 0 ? "none" : "more than one"),
        {"expected: exactly one of them"});
  }
  if (auto to = section.find("to")) {
    read_target(reading, *to, section.name_of("to"), rule);
  } else if (section.has("redirect")) {
    read_redirect(reading, section, rule);
  } else if (auto files = section.find("files")) {
    rule.kind = TargetKind::kFiles;
    auto text = read_text(reading, *files, section.name_of("files"), "a folder such as ./public");
    auto path = text ? read_relative(reading, files->place(), *text, *text) : std::nullopt;
    if (path) {
      rule.files = *path;
      reading.captures.push_back({*path, files->place()});
    }
  }
  if (auto balance = section.find("balance")) {
    assign(rule.balance, read_choice(reading, *balance, section.name_of("balance"), kBalances));
  }
  for (auto [key, partner] : {std::pair{"status", "redirect"}, std::pair{"balance", "to"}}) {
    if (!section.has(key) || section.has(partner)) continue;
    reading.report.error(section.key_place(key), fmt::format("'{}' means something only beside '{}'", key, partner));
  }
}

void read_paths(Reading& reading, const Value& value, Route& route) {
  std::string route_name = fmt::format("the route {}", shown(route.host));
  auto entries = read_entries(reading, value, fmt::format("paths of {}", route_name),
                              "a mapping of patterns to targets, such as {\"/*\": {to: web}}");
  for (const auto& [entry, item] : entries) {
    PathRule rule;
    std::string_view pattern = entry->key;
    rule.prefix = pattern.ends_with("/*");
    if (rule.prefix) pattern.remove_suffix(1);
    rule.pattern = pattern;
    std::string problem = pattern_problem(pattern);
    if (!problem.empty()) {
      reading.report.error({value.source, entry->key_mark},
                           fmt::format("{} cannot be a path pattern", quote(entry->key)), {problem});
    }
    read_rule(reading, item, fmt::format("{} of {}", quote(entry->key), route_name), rule);
    route.paths.push_back(std::move(rule));
  }
  if (value.is_mapping() && entries.empty())
    refuse(reading, value, fmt::format("paths of {}", route_name), "at least one path");
}

void read_route(Reading& reading, const Value& value) {
  Section section(reading, value, "a route", kRouteKeys);
  if (!section.valid() || section.has("tcp")) return;
  Route route;
  Place place = value.place();
  if (auto host = section.find("host")) {
    place = host->place();
    auto text = read_text(reading, *host, "host of a route", "a host such as coop.example or *.coop.example");
    if (!text) return;
    route.host = *text == "*" ? "" : to_lower(*text);
    std::string problem = route.host.empty() ? "" : host_problem(route.host);
    if (!problem.empty()) reading.report.error(place, fmt::format("{} cannot be a host", quote(*text)), {problem});
  }
  auto [first, inserted] = reading.hosts.emplace(route.host, place);
  if (!inserted) {
    reading.report.error(place, fmt::format("the route {} stands twice", shown(route.host)),
                         {fmt::format("see {}", at(first->second)), "put its paths together"});
  }
  if (auto paths = section.find("paths")) {
    read_paths(reading, *paths, route);
  } else {
    reading.report.error(value.place(), fmt::format("the route {} has no 'paths'", shown(route.host)),
                         {"expected: paths: {\"/*\": {to: web}}"});
  }
  reading.organisation.routes.push_back(std::move(route));
}

}  // namespace

std::optional<Upstream> read_upstream(Reading& reading, const Value& value, const std::string& what) {
  constexpr std::string_view kExpected = "an upstream such as http://10.0.0.9:8080, without a path";
  auto text = read_text(reading, value, what, kExpected);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  if (rest.starts_with("https://")) {
    refuse_unbuilt(reading, value.place(), "https://", what);
    return std::nullopt;
  }
  constexpr std::string_view kScheme = "http://";
  Upstream upstream;
  bool good = rest.starts_with(kScheme);
  if (good) rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  size_t bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
  size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    good = good && parse_port(rest.substr(colon + 1), upstream.port);
    rest = rest.substr(0, colon);
  }
  if (bracket != std::string_view::npos) {
    good = good && rest.ends_with(']') && is_ipv6(rest.substr(1, rest.size() - 2));
    if (good) rest = rest.substr(1, rest.size() - 2);
  } else {
    good = good && is_upstream_host(rest);
  }
  if (!good) {
    refuse(reading, value, what, kExpected);
    return std::nullopt;
  }
  upstream.host = to_lower(rest);
  return upstream;
}

void read_routes(Reading& reading, const Value& value) {
  if (!value.is_list()) return refuse(reading, value, "routes", "a list of routes, each with host and paths");
  for (const codec::YamlNode& node : value.node->items) read_route(reading, {&node, value.source});
}

}  // namespace freehold::model
