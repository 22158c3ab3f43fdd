#include <fmt/core.h>

#include <algorithm>

#include "model/names.h"
#include "model/sections.h"

namespace freehold::model {
namespace {

constexpr std::string_view kListenExpected =
    "a port such as 80, \"127.0.0.1:8080\", \"[::1]:8080\", or a list of these";

std::optional<Listen> parse_listen(std::string_view text) {
  Listen listen;
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return parse_port(text, listen.port) ? std::optional(listen) : std::nullopt;
  std::string_view address = text.substr(0, colon);
  if (!parse_port(text.substr(colon + 1), listen.port)) return std::nullopt;
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
    if (!is_ipv6(address)) return std::nullopt;
  } else if (!is_ipv4(address)) {
    return std::nullopt;
  }
  listen.address = address;
  return listen;
}

void read_listen(Reading& reading, const Value& value, std::string_view what) {
  if (value.is_list()) {
    if (value.node->items.empty()) refuse(reading, value, what, kListenExpected);
    for (const codec::YamlNode& node : value.node->items) {
      Value item{&node, value.source};
      if (item.is_list()) {
        refuse(reading, item, fmt::format("an item of {}", what), kListenExpected);
      } else {
        read_listen(reading, item, what);
      }
    }
    return;
  }
  std::optional<Listen> listen;
  if (value.is_scalar()) listen = parse_listen(value.node->text);
  if (!listen) return refuse(reading, value, what, kListenExpected);
  auto& all = reading.organisation.gateway.http;
  bool collides = std::ranges::any_of(all, [&](const Listen& other) {
    bool overlap = other.address == listen->address || other.address.empty() || listen->address.empty();
    return other.port == listen->port && overlap;
  });
  if (collides) {
    reading.report.error(value.place(), fmt::format("{} takes port {} twice", what, listen->port),
                         {"a port alone listens on every address"});
    return;
  }
  all.push_back(*std::move(listen));
}

}  // namespace

void read_gateway(Reading& reading, const Value& value) {
  Section section(reading, value, "gateway", kGatewayKeys);
  if (!section.valid()) return;
  if (auto listen = section.find("listen")) {
    reading.gateway_listen = listen->place();
    if (listen->is_mapping()) {
      Section forms(reading, *listen, "listen of gateway", kListenKeys);
      if (auto http = forms.find("http")) read_listen(reading, *http, "http of listen of gateway");
      if (!forms.has("http") && !forms.has("https")) {
        refuse(reading, *listen, "listen of gateway", "a mapping with the key http");
      }
    } else {
      read_listen(reading, *listen, "listen of gateway");
    }
  }
  if (auto cores = section.find("cores")) {
    assign(reading.organisation.gateway.cores, read_count(reading, *cores, "cores of gateway", 1, 256));
  }
}

void read_secrets_section(Reading& reading, const Value& value) {
  Section section(reading, value, "secrets", kSecretsKeys);
  if (!section.valid()) return;
  auto store = section.find("store");
  if (!store) {
    reading.report.error(value.place(), "secrets has no 'store'", {"expected: secrets: {store: ./secrets.yaml}"});
    return;
  }
  auto path = read_text(reading, *store, "store of secrets", "the path of a YAML file of names and values");
  if (!path) return;
  reading.secret_store = store->place();
  if (path->ends_with(".age")) {
    reading.report.error(store->place(), "an encrypted store ('.age') is known, but not built yet in this version",
                         {"expected: a YAML file of names and values, kept outside of version control"});
    return;
  }
  reading.organisation.secret_store = path->starts_with('/') ? "/" + normalise(*path) : normalise(*path);
}

}  // namespace freehold::model
