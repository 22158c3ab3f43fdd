#include "leaving/proxy.h"

#include <fmt/core.h>

#include <set>

#include "base/text.h"
#include "gateway/mime_type.h"
#include "gateway/options.h"
#include "http/path.h"
#include "leaving/quoting.h"
#include "model/names.h"

namespace freehold::leaving {
namespace {

constexpr std::string_view kNotFound = "return 404;";
constexpr size_t kNginxHashedName = 40;  // nginx's own table takes names up to about this without being told

int64_t seconds(Duration duration) { return std::chrono::ceil<std::chrono::seconds>(duration).count(); }

std::string location(std::string_view kind, const std::string& pattern, std::string_view body) {
  const char* space = body.starts_with('\n') ? "" : " ";
  return fmt::format("  location {}{} {{{}{} }}\n", kind, nginx_text(pattern), space, body);
}

class Proxy {
 public:
  Proxy(const Given& given, const Ground& ground, Departure& out)
      : ground_(ground), composed_(given.composed), out_(out), prefix_(variable(ground.name)) {}

  void write() {
    std::string servers;
    bool any_host = false;
    for (const model::Route& route : composed_.routing.routes) {
      any_host = any_host || route.host.empty();
      servers += server(route);
    }
    if (!any_host && !composed_.routing.gateway.http.empty()) {
      servers += fmt::format("\n# A host that nobody names.\nserver {{\n{}  server_name _;\n  {}\n}}\n",
                             listens(" default_server"), kNotFound);
    }
    servers += inside();
    if (!servers.empty()) {
      put(fmt::format("conf.d/{}.conf", ground_.name), maps() + upstreams_ + servers);
      put(ground_.name + "/proxy.conf", proxied());
      put(ground_.name + "/types.conf", types());
    }
    if (!streams_.empty())
      put(ground_.name + "/stream.conf",
          fmt::format("# To be included outside of http {{}}.\nstream {{\n{}}}\n", streams_));
  }

 private:
  static std::string variable(std::string name) {
    for (char& c : name) c = c == '-' ? '_' : c;
    return name;
  }

  void put(const std::string& name, std::string text) {
    out_.files.push_back({in_root("/etc/nginx/" + name), std::move(text)});
  }
  std::string include(std::string_view name) const {
    return fmt::format("include /etc/nginx/{}/{}.conf;", ground_.name, name);
  }

  // ---- what is defined once
  static std::string types() {
    std::string out = "# What files are by the ending of their names, as Freehold tells.\ntypes {\n";
    for (const gateway::MimeType& type : gateway::mime_types())
      out += fmt::format("  \"{}\" {};\n", type.type, type.ending);
    return out + "}\ndefault_type application/octet-stream;\n";
  }

  std::string maps() const {
    std::string out = fmt::format(
        "# The routes of {0}, exported from Freehold. An upgrade is passed on, but not to HTTP/2 without TLS.\n"
        "map $http_upgrade ${1}_upgrade {{ default $http_upgrade; ~*^h2c \"\"; ~, \"\"; }}\n"
        "map ${1}_upgrade ${1}_connection {{ default upgrade; \"\" \"\"; }}\n"
        "map $remote_addr ${1}_client {{ default $remote_addr; ~: \"\\\"[$remote_addr]\\\"\"; }}\n",
        ground_.name, prefix_);
    size_t longest = 0;
    for (const model::Route& route : composed_.routing.routes) longest = std::max(longest, route.host.size());
    if (longest > kNginxHashedName) out += "server_names_hash_bucket_size 512;\n";
    if (dollar_) out += fmt::format("geo ${}_dollar {{ default \"$\"; }}\n", prefix_);
    return out;
  }

  std::string listens(std::string_view more) const {
    std::string out;
    for (const model::Listen& listen : composed_.routing.gateway.http) {
      if (listen.address.empty()) {
        out += fmt::format("  listen {0}{1};\n  listen [::]:{0}{1};\n", listen.port, more);
      } else {
        bool v6 = model::is_ipv6(listen.address);
        out += fmt::format("  listen {}{}{}:{}{};\n", v6 ? "[" : "", listen.address, v6 ? "]" : "", listen.port, more);
      }
    }
    return out;
  }

  // What the gateway tells the programs behind it, and the limits that it holds clients to.
  std::string proxied() const {
    const gateway::Limits limits;
    std::string out;
    auto line = [&out](std::string_view name, const auto& value) { out += fmt::format("{} {};\n", name, value); };
    line("absolute_redirect", "off");
    line("client_max_body_size", limits.body_bytes);
    line("client_header_timeout", seconds(limits.head));
    line("client_body_timeout", seconds(limits.body));
    line("keepalive_timeout", seconds(limits.idle));
    line("proxy_http_version", "1.1");
    line("proxy_buffering", "off");
    line("proxy_request_buffering", "off");
    line("proxy_connect_timeout", seconds(limits.upstream_connect));
    line("proxy_read_timeout", seconds(limits.upstream_stream));
    line("proxy_next_upstream", "error");
    line("proxy_next_upstream_tries", limits.attempts);
    out += fmt::format(
        "proxy_set_header Host $http_host;\n"
        "proxy_set_header Upgrade ${0}_upgrade;\n"
        "proxy_set_header Connection ${0}_connection;\n"
        "proxy_set_header X-Forwarded-For $remote_addr;\n"
        "proxy_set_header X-Forwarded-Proto $scheme;\n"
        "proxy_set_header X-Forwarded-Host $http_host;\n"
        "proxy_set_header Forwarded \"for=${0}_client;host=\\\"$http_host\\\";proto=$scheme\";\n"
        "proxy_set_header X-Request-Id $request_id;\n"
        "# What clients may not say about themselves.\n",
        prefix_);
    for (const char* name : {"X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl",
                             "X-Forwarded-Scheme", "X-Real-IP", "Proxy"}) {
      out += fmt::format("proxy_set_header {} \"\";\n", name);
    }
    return out;
  }

  // ---- whom requests go to
  std::string upstream(const std::string& name, std::string_view first, const std::string& servers) {
    if (defined_.insert(name).second)
      upstreams_ += fmt::format("upstream {} {{ {}{} keepalive 64; }}\n", name, first, servers);
    return fmt::format("proxy_pass http://{};", name);
  }

  std::string servers_of(const Place& place) const {
    std::vector<std::string> out;
    for (uint16_t port : place.ports)
      out.push_back(fmt::format("server 127.0.0.1:{} max_fails=1 fail_timeout=1s;", port));
    return join(out, " ");
  }

  std::string to_service(const std::string& service, model::Balance balance) {
    const Place& place = ground_.places.at(service);
    if (place.ports.empty()) return "return 503;";
    bool least = balance == model::Balance::kLeastConnections;
    return upstream(place.unit + (least ? ".least" : ""), least ? "least_conn; " : "", servers_of(place));
  }

  std::string to_outside(const model::PathRule& rule) {
    std::string servers, names;
    for (const model::Upstream& one : rule.upstreams) {
      bool v6 = model::is_ipv6(one.host);
      if (!v6 && !model::is_ipv4(one.host)) names += (names.empty() ? "" : ", ") + one.host;
      servers +=
          fmt::format("server {}{}{}:{} weight={}; ", v6 ? "[" : "", one.host, v6 ? "]" : "", one.port, one.weight);
    }
    if (!names.empty()) {
      out_.losses.push_back(
          {"routes[].paths.PATTERN.to",
           {},
           fmt::format("nginx looks {} up when it starts and not again, and does not start without", names)});
    }
    bool least = rule.balance == model::Balance::kLeastConnections;
    servers.pop_back();
    return upstream(fmt::format("{}.outside{}", ground_.name, ++outside_), least ? "least_conn; " : "", servers);
  }

  // ---- what is answered here
  // In the text of a directive that replaces variables.
  std::string literal(std::string_view text) {
    std::string out = nginx_text(text);
    std::string whole;
    for (char c : out) {
      dollar_ = dollar_ || c == '$';
      whole += c == '$' ? fmt::format("${{{}_dollar}}", prefix_) : std::string(1, c);
    }
    return whole;
  }

  // Names with a leading dot are hidden, but for .well-known at the top; a folder without index.html is not there.
  std::string files_below(const std::string& digest, const std::string& prefix) const {
    std::string at = regex_text(prefix);
    return fmt::format(
        "\n    alias {}/;\n    index index.html;\n    error_page 403 =404 @missing;\n    {}\n"
        "    location ~ \"^{}(?:[.](?!well-known(?:/|$))|.*/[.])\" {{ {} }}\n ",
        ground_.files.at(digest), include("types"), at, kNotFound);
  }

  std::string bare_folder(const std::string& bare) {
    std::string out;
    for (std::string_view part : split(std::string_view(bare).substr(1), '/')) out += "/" + http::percent_encode(part);
    return fmt::format("return 301 {}/$is_args$args;", out);
  }

  std::string target(const model::PathRule& rule) {
    switch (rule.kind) {
      case model::TargetKind::kService:
        return to_service(rule.service, rule.balance);
      case model::TargetKind::kUpstreams:
        return to_outside(rule);
      case model::TargetKind::kRedirect:
        return fmt::format("return {} {};", rule.status, literal(rule.redirect));
      case model::TargetKind::kFiles:
        return rule.prefix ? files_below(rule.files, rule.pattern)
                           : fmt::format("root {}; {}", ground_.files.at(rule.files), include("types"));
    }
    return std::string(kNotFound);
  }

  std::string server(const model::Route& route) {
    std::string name = route.host.empty() ? "_" : route.host;
    // nginx's own wildcard would match any number of labels.
    if (name.starts_with("*.")) name = fmt::format("\"~^[^.]+{}$\"", regex_text(std::string_view(name).substr(1)));
    std::string out = fmt::format("\nserver {{\n{}  server_name {};\n  {}\n",
                                  listens(route.host.empty() ? " default_server" : ""), name, include("proxy"));
    std::set<std::string> exact;
    bool everything = false, files = false;
    for (const model::PathRule& rule : route.paths) {
      if (!rule.prefix) exact.insert(rule.pattern);
    }
    for (const model::PathRule& rule : route.paths) {
      files = files || rule.kind == model::TargetKind::kFiles;
      everything = everything || (rule.prefix && rule.pattern == "/");
      std::string body = target(rule);
      out += location(rule.prefix ? "^~ " : "= ", rule.pattern, body);
      // "/api/*" is "/api" too; left to itself nginx would answer that with a redirect.
      std::string bare = rule.pattern.substr(0, rule.pattern.size() - 1);
      if (!rule.prefix || bare.empty() || exact.contains(bare)) continue;
      out += location("= ", bare, rule.kind == model::TargetKind::kFiles ? bare_folder(bare) : body);
    }
    if (!everything) out += location("", "/", kNotFound);
    if (files) out += fmt::format("  location @missing {{ {} }}\n", kNotFound);
    return out + "}\n";
  }

  // The stable address of a service that has not exactly one instance: one that has listens on it by itself.
  std::string inside() {
    std::string out;
    for (const auto& [service, place] : ground_.places) {
      if (!place.many || !ground_.is_used(composed_, service)) continue;
      uint16_t port = composed_.routing.addresses.at(service);
      if (composed_.routing.speaks_http.at(service)) {
        out += fmt::format(
            "\n# Inside: the address of {}.\nserver {{\n  listen 127.0.0.1:{};\n  {}\n  location / {{ {} }}\n}}\n",
            service, port, include("proxy"), to_service(service, model::Balance::kLeastConnections));
      } else if (!place.ports.empty()) {
        streams_ +=
            fmt::format("  upstream {0} {{ least_conn; {1} }}\n  server {{ listen 127.0.0.1:{2}; proxy_pass {0}; }}\n",
                        place.unit, servers_of(place), port);
      }
    }
    return out;
  }

  const Ground& ground_;
  const control::Composed& composed_;
  Departure& out_;
  const std::string prefix_;  // of variables
  std::set<std::string> defined_;
  std::string upstreams_;
  std::string streams_;
  int outside_ = 0;
  bool dollar_ = false;
};

}  // namespace

void write_proxy(const Given& given, const Ground& ground, Departure& out) { Proxy(given, ground, out).write(); }

}  // namespace freehold::leaving
