// The nouns of freehold.yaml, validated: what an organisation runs and how it is reached.
//
// Values only, no behaviour. model/file.h makes them from the text of the file; control, agent and gateway pass them on
// as JSON through `fields` (codec/fields.h). The words are those of the file. A default here is the default of the
// file.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "codec/fields.h"
#include "model/job.h"
#include "model/keep.h"

namespace freehold::model {

using codec::Of;
using namespace std::chrono_literals;

enum class HealthKind { kNone, kHttp, kTcp, kExec };
inline std::span<const std::string_view> enum_names(HealthKind) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "http", "tcp", "exec"};
  return kNames;
}

// How a running instance is asked whether it works. kNone: healthy as soon as it runs.
struct Health {
  HealthKind kind = HealthKind::kNone;
  std::string path;                  // http: the request target; 2xx and 3xx are well
  std::vector<std::string> command;  // exec: exit code 0 is well
  Duration every = 15s;
  Duration timeout = 2s;
  Duration start = 60s;  // failures this long after the start do not count
  uint32_t healthy_after = 1;
  uint32_t unhealthy_after = 3;
  bool operator==(const Health&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Health>& health) {
  v("kind", health.kind);
  v("path", health.path);
  v("command", health.command);
  v("every", health.every);
  v("timeout", health.timeout);
  v("start", health.start);
  v("healthy_after", health.healthy_after);
  v("unhealthy_after", health.unhealthy_after);
}

struct Limits {
  std::optional<double> cpu;  // cores
  std::optional<Bytes> memory;
  std::optional<uint64_t> pids;
  std::optional<uint64_t> files;  // open descriptors per process
  bool operator==(const Limits&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Limits>& limits) {
  v("cpu", limits.cpu);
  v("memory", limits.memory);
  v("pids", limits.pids);
  v("files", limits.files);
}

enum class Writers { kOne, kMany };
inline std::span<const std::string_view> enum_names(Writers) {
  static constexpr std::array<std::string_view, 2> kNames = {"one", "many"};
  return kNames;
}

// A folder that outlives instances and deploys. An empty path means one that the platform keeps in its state.
struct Volume {
  std::string name;
  std::string path;  // absolute, or empty
  Writers writers = Writers::kOne;
  bool operator==(const Volume&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Volume>& volume) {
  v("name", volume.name);
  v("path", volume.path);
  v("writers", volume.writers);
}

// How a service comes to listen: it opens its port itself, or is started with the open socket (LISTEN_FDS).
enum class Listening { kPort, kSockets };
inline std::span<const std::string_view> enum_names(Listening) {
  static constexpr std::array<std::string_view, 2> kNames = {"port", "sockets"};
  return kNames;
}

enum class SecretForm { kFile, kEnv };
inline std::span<const std::string_view> enum_names(SecretForm) {
  static constexpr std::array<std::string_view, 2> kNames = {"file", "env"};
  return kNames;
}

struct SecretUse {
  std::string name;
  SecretForm form = SecretForm::kFile;
  bool operator==(const SecretUse&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, SecretUse>& use) {
  v("name", use.name);
  v("form", use.form);
}

struct Stop {
  int signal = 15;  // SIGTERM
  Duration grace = 10s;
  bool operator==(const Stop&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Stop>& stop) {
  v("signal", stop.signal);
  v("grace", stop.grace);
}

// The wait before a restart doubles from `backoff` up to `most`; `crash_loop.count` ends within `crash_loop.per` make
// the instance crash-looping.
struct Restart {
  Duration backoff = 1s;
  Duration most = 1min;
  Rate crash_loop = {5, 10min};
  bool operator==(const Restart&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Restart>& restart) {
  v("backoff", restart.backoff);
  v("most", restart.most);
  v("crash_loop_count", restart.crash_loop.count);
  v("crash_loop_per", restart.crash_loop.per);
}

enum class OnFailure { kRollback, kHold };
inline std::span<const std::string_view> enum_names(OnFailure) {
  static constexpr std::array<std::string_view, 2> kNames = {"rollback", "hold"};
  return kNames;
}

// strategy is rolling, the only one built.
struct Deploy {
  uint32_t batch = 1;
  Duration drain = 30s;  // how long requests in flight may take before they are cut
  Duration deadline = 10min;
  OnFailure on_failure = OnFailure::kRollback;
  bool operator==(const Deploy&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Deploy>& deploy) {
  v("batch", deploy.batch);
  v("drain", deploy.drain);
  v("deadline", deploy.deadline);
  v("on_failure", deploy.on_failure);
}

// A command is a list of words, never given to a shell. A word that starts with "./" names a file or folder beside
// the file; it is taken by content and mirrored at the same relative path below the instance's working directory.
// Words may hold ${PORT}, ${service.NAME.address}, ${volume.NAME.path} until the agent fills them in;
// ${env.NAME} is already replaced.
struct Service {
  std::string name;
  std::vector<std::string> run;
  std::vector<std::string> prepare;
  std::string user = "auto";  // auto: a uid of its own; root; or the name of a system user
  uint32_t replicas = 1;
  std::map<std::string, std::string> env;  // values may also hold ${secret.NAME}
  std::vector<SecretUse> secrets;
  Limits limits;
  std::vector<Volume> volumes;
  Listening listen = Listening::kPort;
  Health health;
  Stop stop;
  Restart restart;
  std::vector<std::string> needs;  // names of services
  Deploy deploy;
  std::optional<Job> job;          // it has a schedule: it runs to its end, and has no instances
  std::vector<std::string> paths;  // what run and prepare name with "./", normalised, sorted, relative to the file
  bool operator==(const Service&) const = default;

  bool single_writer() const {
    for (const Volume& volume : volumes) {
      if (volume.writers == Writers::kOne) return true;
    }
    return false;
  }
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Service>& service) {
  v("name", service.name);
  v("run", service.run);
  v("prepare", service.prepare);
  v("user", service.user);
  v("replicas", service.replicas);
  v("env", service.env);
  v("secrets", service.secrets);
  v("limits", service.limits);
  v("volumes", service.volumes);
  v("listen", service.listen);
  v("health", service.health);
  v("stop", service.stop);
  v("restart", service.restart);
  v("needs", service.needs);
  v("deploy", service.deploy);
  v("job", service.job);
  v("paths", service.paths);
}

enum class Balance { kRoundRobin, kLeastConnections };
inline std::span<const std::string_view> enum_names(Balance) {
  static constexpr std::array<std::string_view, 2> kNames = {"round-robin", "least-connections"};
  return kNames;
}

// An upstream outside of Freehold: http://host[:port], resolved while running.
struct Upstream {
  std::string host;
  uint16_t port = 80;
  uint32_t weight = 1;
  bool operator==(const Upstream&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Upstream>& upstream) {
  v("host", upstream.host);
  v("port", upstream.port);
  v("weight", upstream.weight);
}

enum class TargetKind { kService, kUpstreams, kFiles, kRedirect };
inline std::span<const std::string_view> enum_names(TargetKind) {
  static constexpr std::array<std::string_view, 4> kNames = {"service", "upstreams", "files", "redirect"};
  return kNames;
}

// One line of `paths`: what requests it matches and where they go. The longest matching pattern wins.
struct PathRule {
  std::string pattern;  // "/api/*" in the file is {"/api/", prefix}; it also matches "/api" itself
  bool prefix = false;
  TargetKind kind = TargetKind::kService;
  std::string service;
  std::vector<Upstream> upstreams;
  std::string files;     // folder relative to the file; taken by content
  std::string redirect;  // Location, an absolute URL or an absolute path
  uint16_t status = 308;
  Balance balance = Balance::kRoundRobin;
  bool operator==(const PathRule&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, PathRule>& rule) {
  v("pattern", rule.pattern);
  v("prefix", rule.prefix);
  v("kind", rule.kind);
  v("service", rule.service);
  v("upstreams", rule.upstreams);
  v("files", rule.files);
  v("redirect", rule.redirect);
  v("status", rule.status);
  v("balance", rule.balance);
}

struct Route {
  std::string host;  // lower case, without port; "*.example.org" matches one label more; "" matches any host
  std::vector<PathRule> paths;
  bool operator==(const Route&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Route>& route) {
  v("host", route.host);
  v("paths", route.paths);
}

struct Listen {
  std::string address;  // numeric IPv4 or IPv6; "" is every address
  uint16_t port = 0;
  bool operator==(const Listen&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Listen>& listen) {
  v("address", listen.address);
  v("port", listen.port);
}

struct Gateway {
  std::vector<Listen> http;
  uint32_t cores = 1;
  bool operator==(const Gateway&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Gateway>& gateway) {
  v("http", gateway.http);
  v("cores", gateway.cores);
}

struct Organisation {
  std::string name;
  std::string timezone = "UTC";
  std::map<std::string, Service> services;
  std::vector<Route> routes;
  Gateway gateway;
  Keeping keep;
  std::string secret_store;  // path relative to the file, or empty
  bool operator==(const Organisation&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Organisation>& organisation) {
  v("name", organisation.name);
  v("timezone", organisation.timezone);
  v("services", organisation.services);
  v("routes", organisation.routes);
  v("gateway", organisation.gateway);
  v("keep", organisation.keep);
  v("secret_store", organisation.secret_store);
}

}  // namespace freehold::model
