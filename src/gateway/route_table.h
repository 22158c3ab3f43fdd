// RouteTable: a GatewaySnapshot compiled for looking up: which target answers (host, path).
//
// A host is found by hash (exact name, then "*.rest" for one label more, then the default); a path by binary search
// over that host's sorted patterns, so the cost grows with the logarithm of the number of patterns. The first host that
// matches decides: a path that it does not name is not looked for under another host.
//   "/api/*" matches "/api" and what is below "/api/"; "/api" is exact; the longest pattern wins, exact before prefix.
//
// Immutable after compile(), shared by all cores, read without locks. It names services by a number, their pool, under
// which each core keeps its own connections and counts.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/static_root.h"
#include "model/snapshot.h"

namespace freehold::gateway {

// What a pool of endpoints is made of.
struct PoolSpec {
  std::string name;                        // the service, or "host:port" of outside upstreams; also in the access log
  bool outside = false;                    // endpoints are `upstreams`, to be resolved
  std::vector<model::Endpoint> endpoints;  // of a service, on 127.0.0.1
  std::vector<model::Upstream> upstreams;
};

struct Target {
  model::TargetKind kind = model::TargetKind::kService;
  uint32_t pool = 0;  // service and upstreams: index into pools()
  model::Balance balance = model::Balance::kRoundRobin;
  const StaticRoot* root = nullptr;  // files; null if the content is missing on this machine
  std::string_view prefix;  // files: the part of the path that is not below the root, without a slash at its end
  std::string redirect;
  uint16_t status = 0;
};

class RouteTable {
 public:
  static std::shared_ptr<const RouteTable> compile(const model::GatewaySnapshot& snapshot);

  uint64_t revision() const { return revision_; }
  // `host` as in the Host header (any case, a port is ignored), `path` decoded and normalised. Null if nothing matches.
  const Target* find(std::string_view host, std::string_view path) const;
  // Whether any path is served under this host.
  bool has_host(std::string_view host) const { return find_host(host) != nullptr; }

  const std::vector<PoolSpec>& pools() const { return pools_; }
  // The pool of a service's internal address; null if the service is not in the snapshot.
  const Target* internal(const std::string& service) const;
  bool speaks_http(const std::string& service) const;

 private:
  struct Pattern {
    std::string text;
    Target target;
    int32_t parent = -1;  // prefixes: the longest other prefix that this one starts with
  };
  struct Host {
    std::vector<Pattern> exact;   // sorted by text
    std::vector<Pattern> prefix;  // sorted by text
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Hosts = std::unordered_map<std::string, Host, Hash, std::equal_to<>>;

  Target compile_target(const model::PathRule& rule, const std::string& files_root);
  uint32_t pool_of_service(const model::GatewaySnapshot& snapshot, const std::string& service);
  uint32_t pool_of_upstreams(const std::vector<model::Upstream>& upstreams);
  const Host* find_host(std::string_view name) const;
  static void finish(Host& host);
  static const Target* find_path(const Host& host, std::string_view path);

  uint64_t revision_ = 0;
  Hosts exact_hosts_;
  Hosts wildcard_hosts_;  // by what follows "*."
  std::unique_ptr<Host> default_host_;
  std::vector<PoolSpec> pools_;
  std::unordered_map<std::string, uint32_t> pool_index_;
  std::unordered_map<std::string, Target> internal_;
  std::unordered_map<std::string, bool> speaks_http_;
  std::unordered_map<std::string, std::unique_ptr<StaticRoot>> roots_;
};

}  // namespace freehold::gateway
