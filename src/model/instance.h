// What control wants of a node and what the node answers: the messages of the link between them are made of these.
//
// Control works out a NodeDesired from a generation and a rollout; the agent makes it so, keeps it on its own disk, and
// goes on keeping it when control is gone.
#pragma once

#include "base/time.h"
#include "model/job_run.h"

namespace freehold::model {

// Everything that starting one instance takes. Named by its fingerprint: two instances with the same one are alike,
// and a service whose fingerprint is unchanged needs no new instances.
struct Runtime {
  std::string service;
  std::string fingerprint;
  uint64_t generation = 0;       // the first generation that had it
  std::vector<std::string> run;  // still holding ${PORT} and ${volume.NAME.path}
  std::vector<std::string> prepare;
  std::string user = "auto";
  std::map<std::string, std::string> env;
  std::vector<SecretUse> secrets;
  std::map<std::string, std::string> secret_hashes;  // keyed hash of each value used
  Limits limits;
  std::vector<Volume> volumes;
  std::optional<Listening> listen;  // absent: its port, so that the word changed no fingerprint when it came
  std::string release;              // digest of the manifest of captured files; empty if it has none
  bool operator==(const Runtime&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Runtime>& runtime) {
  v("service", runtime.service);
  v("fingerprint", runtime.fingerprint);
  v("generation", runtime.generation);
  v("run", runtime.run);
  v("prepare", runtime.prepare);
  v("user", runtime.user);
  v("env", runtime.env);
  v("secrets", runtime.secrets);
  v("secret_hashes", runtime.secret_hashes);
  v("limits", runtime.limits);
  v("volumes", runtime.volumes);
  v("listen", runtime.listen);
  v("release", runtime.release);
}

// How instances of a service are watched: may change without a restart.
struct Supervision {
  Health health;
  Stop stop;
  Restart restart;
  std::vector<std::string> needs;
  Duration drain = 30s;
  bool operator==(const Supervision&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Supervision>& supervision) {
  v("health", supervision.health);
  v("stop", supervision.stop);
  v("restart", supervision.restart);
  v("needs", supervision.needs);
  v("drain", supervision.drain);
}

enum class Wanted {
  kRunning,  // started, restarted when it ends, in the balance when healthy
  kIdle,     // as running, but given no new requests (`freehold drain`)
  kStopped,  // taken out of the balance, drained, stopped, then forgotten
  kOnce,     // a prepare command: run to its end once, never restarted; its exit is reported
};
inline std::span<const std::string_view> enum_names(Wanted) {
  static constexpr std::array<std::string_view, 4> kNames = {"running", "idle", "stopped", "once"};
  return kNames;
}

struct DesiredInstance {
  std::string id;  // "web.7": the service and a number that is never used again
  std::string service;
  std::string fingerprint;
  Wanted wanted = Wanted::kRunning;
  bool operator==(const DesiredInstance&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, DesiredInstance>& instance) {
  v("id", instance.id);
  v("service", instance.service);
  v("fingerprint", instance.fingerprint);
  v("wanted", instance.wanted);
}

// A path rule as the gateway serves it: `files` is a digest of captured content instead of a folder's name.
struct Routing {
  Gateway gateway;
  std::vector<Route> routes;
  std::map<std::string, uint16_t> addresses;  // service -> port of its stable address on 127.0.0.1
  std::map<std::string, bool>
      speaks_http;  // service -> its stable address is balanced per request, else per connection
  Keeping keep;     // no routing, but for all of the node, too
  bool operator==(const Routing&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Routing>& routing) {
  v("gateway", routing.gateway);
  v("routes", routing.routes);
  v("addresses", routing.addresses);
  v("speaks_http", routing.speaks_http);
  v("keep", routing.keep);
}

struct NodeDesired {
  uint64_t revision = 0;  // grows with every change; the agent acknowledges it
  uint64_t generation = 0;
  std::string organisation;
  std::map<std::string, Runtime> runtimes;            // by fingerprint
  std::map<std::string, Supervision> supervision;     // by service, or by fingerprint: see supervision_of
  std::map<std::string, std::string> sealed_secrets;  // keyed hash -> sealed value
  std::vector<DesiredInstance> instances;
  std::map<std::string, DesiredJob> jobs;
  std::string timezone = "UTC";  // of their schedules
  Routing routing;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, NodeDesired>& desired) {
  v("revision", desired.revision);
  v("generation", desired.generation);
  v("organisation", desired.organisation);
  v("runtimes", desired.runtimes);
  v("supervision", desired.supervision);
  v("sealed_secrets", desired.sealed_secrets);
  v("instances", desired.instances);
  v("jobs", desired.jobs);
  v("timezone", desired.timezone);
  v("routing", desired.routing);
}

// How this instance is watched. An entry under its fingerprint goes before the one of its service: while a deploy
// changes the program and its health check together, old instances are still asked the old question.
inline const Supervision* supervision_of(const NodeDesired& desired, const DesiredInstance& instance) {
  auto found = desired.supervision.find(instance.fingerprint);
  if (found == desired.supervision.end()) found = desired.supervision.find(instance.service);
  return found == desired.supervision.end() ? nullptr : &found->second;
}

enum class InstanceState {
  kWaiting,   // for a service that it needs, or for its restart
  kStarting,  // runs, not yet found healthy
  kHealthy,
  kUnhealthy,
  kDraining,      // out of the balance, requests in flight are finishing
  kStopping,      // signalled
  kStopped,       // ended and will not be started again
  kCrashLooping,  // ended too often; restarted at the longest back-off
};
inline std::span<const std::string_view> enum_names(InstanceState) {
  static constexpr std::array<std::string_view, 8> kNames = {"waiting",  "starting", "healthy", "unhealthy",
                                                             "draining", "stopping", "stopped", "crash-looping"};
  return kNames;
}

// How a process ended. Neither code nor signal is set while it runs.
struct Exit {
  int code = 0;
  int signal = 0;
  bool out_of_memory = false;
  std::string failure;  // set when it never ran: which step of the start failed and why
  WallTime at{};
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Exit>& exit) {
  v("code", exit.code);
  v("signal", exit.signal, {"that ended it; 0: none did"});
  v("out_of_memory", exit.out_of_memory);
  v("failure", exit.failure, {"why it never ran"});
  v("at", exit.at);
}

struct ObservedInstance {
  std::string id;
  std::string service;
  std::string fingerprint;
  InstanceState state = InstanceState::kWaiting;
  bool serving = false;  // the gateway has acknowledged that it may be given requests
  int64_t pid = 0;
  uint16_t port = 0;
  uint32_t restarts = 0;
  WallTime since{};    // of this state
  std::string reason;  // of this state, for a person: "health: 503 from /health"
  std::optional<Exit> last_exit;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ObservedInstance>& instance) {
  v("id", instance.id);
  v("service", instance.service);
  v("fingerprint", instance.fingerprint, {"of all that makes it what it is: another means another program"});
  v("state", instance.state);
  v("serving", instance.serving, {"the gateway has acknowledged that it may be given requests"});
  v("pid", instance.pid);
  v("port", instance.port);
  v("restarts", instance.restarts);
  v("since", instance.since, {"of this state"});
  v("reason", instance.reason, {"of this state, for a person"});
  v("last_exit", instance.last_exit);
}

// Whom the agent runs beside the instances, for `freehold status`.
struct DaemonStatus {
  std::string name;  // control, gateway, agent, watcher
  int64_t pid = 0;
  uint32_t restarts = 0;
  WallTime since{};
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, DaemonStatus>& daemon) {
  v("name", daemon.name);
  v("pid", daemon.pid);
  v("restarts", daemon.restarts);
  v("since", daemon.since);
}

struct NodeObserved {
  uint64_t revision = 0;  // the NodeDesired that this node last stored
  std::string boot_id;
  std::vector<ObservedInstance> instances;
  std::vector<ObservedJob> jobs;
  std::vector<DaemonStatus> daemons;
  std::vector<std::string> problems;     // what this node cannot do as asked, for a person
  std::vector<std::string> unreachable;  // those of them that are addresses which cannot be listened on
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, NodeObserved>& observed) {
  v("revision", observed.revision);
  v("boot_id", observed.boot_id);
  v("instances", observed.instances);
  v("jobs", observed.jobs);
  v("daemons", observed.daemons);
  v("problems", observed.problems);
  v("unreachable", observed.unreachable);
}

}  // namespace freehold::model
