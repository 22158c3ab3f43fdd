// What the API takes and gives, as JSON through `fields`: shared by the server (api) and the command line (cli). What
// is where: resource.h, and docs/operations/openapi.json, which is written from it. Every answer that is no success is
// a Problem, with the HTTP status that fits its code.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "control/generation.h"
#include "control/lock.h"
#include "control/plan.h"
#include "control/progress.h"
#include "model/instance.h"

namespace freehold::api {

using codec::Of;

struct Problem {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::vector<std::string> details;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Problem>& problem) {
  v("code", problem.code);
  v("message", problem.message, {"for a person: what failed, on what, why, what to do"});
  v("details", problem.details);
}

struct PlanAnswer {
  uint64_t base = 0;
  bool empty = true;
  std::string text;
  control::Plan plan;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, PlanAnswer>& answer) {
  v("base", answer.base, {"the current generation that it was planned against; 0: there is none"});
  v("empty", answer.empty, {"there is nothing to do"});
  v("text", answer.text, {"the plan, for people"});
  v("plan", answer.plan);
}

struct RollbackRequest {
  std::optional<uint64_t> generation;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, RollbackRequest>& request) {
  v("generation", request.generation, {"left out: what ran before the current one's contents first came"});
}

struct ScaleRequest {
  uint32_t replicas = 0;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ScaleRequest>& request) {
  v("replicas", request.replicas, {.meaning = "how many instances", .needed = true});
}

struct DrainRequest {
  std::string subject;
  bool off = false;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, DrainRequest>& request) {
  v("subject", request.subject, {.meaning = "an instance or a service", .needed = true});
  v("off", request.off, {"give it requests again"});
}

struct ReleaseRequest {
  bool force = false;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ReleaseRequest>& request) {
  v("force", request.force, {"also while what holds the lock goes on: it ends where it stands"});
}

// A change was accepted: follow the rollout of that id.
struct ChangeAnswer {
  uint64_t rollout = 0;
  uint64_t generation = 0;
  uint64_t event = 0;
  bool undoes = false;
  std::string text;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ChangeAnswer>& answer) {
  v("rollout", answer.rollout, {"what was begun; 0: there was nothing to do"});
  v("generation", answer.generation, {"the one that it leads to"});
  v("event", answer.event, {"events of it have greater ids"});
  v("undoes", answer.undoes, {"the apply that was under way goes back: its end as undone is what was asked for"});
  v("text", answer.text, {"for a person: what was chosen, and why"});
}

struct RolloutStatus {
  uint64_t id = 0;
  std::string kind;
  std::string outcome;
  std::string reason;
  uint64_t generation = 0;
  std::string who;
  WallTime started{};
  Duration lasted{};
  bool going_back = false;
  std::vector<control::ServiceProgress> services;  // those that change
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, RolloutStatus>& status) {
  v("id", status.id, {"0: there was none yet, and the rest says nothing"});
  v("kind", status.kind, {.words = enum_names(control::RolloutKind()), .may_be_empty = true});
  v("outcome", status.outcome, {.words = enum_names(control::Outcome()), .may_be_empty = true});
  v("reason", status.reason, {"why it failed or was undone, for a person"});
  v("generation", status.generation, {"where it leads"});
  v("who", status.who);
  v("started", status.started);
  v("lasted", status.lasted);
  v("going_back", status.going_back, {"it did not succeed and is being undone"});
  v("services", status.services, {"those that change, in the order of their turns"});
}

struct GenerationSummary {
  uint64_t number = 0;
  std::string status;
  WallTime created{};
  std::string who;
  std::string message;
  std::string outcome;
  uint64_t services = 0;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, GenerationSummary>& summary) {
  v("number", summary.number);
  v("status", summary.status, {.words = enum_names(control::GenerationStatus())});
  v("created", summary.created);
  v("who", summary.who);
  v("message", summary.message, {"why, as who applied it said"});
  v("outcome", summary.outcome, {"of its apply, for a person"});
  v("services", summary.services, {"how many"});
}

struct JobStatus {
  std::string schedule;
  model::ObservedJob observed;  // as the node told last
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, JobStatus>& job) {
  v("schedule", job.schedule, {"as it stands in the file"});
  fields(v, job.observed);
}

struct JobsAnswer {
  std::string timezone;
  bool node_connected = false;
  std::vector<JobStatus> jobs;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, JobsAnswer>& answer) {
  v("timezone", answer.timezone, {"of the schedules"});
  v("node_connected", answer.node_connected, {"an agent is connected: what is told of jobs is so now"});
  v("jobs", answer.jobs);
}

inline constexpr std::array<std::string_view, 8> kServiceStates = {"healthy",       "degraded", "down",     "starting",
                                                                   "crash-looping", "drained",  "stopping", "stopped"};

struct ServiceStatus {
  std::string name;
  uint32_t replicas = 0;  // wanted, with a scale
  uint32_t healthy = 0;
  std::string state;    // one of kServiceStates
  std::string address;  // stable, on loopback: host:port
  std::vector<model::ObservedInstance> instances;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ServiceStatus>& service) {
  v("name", service.name);
  v("replicas", service.replicas, {"how many instances there shall be"});
  v("healthy", service.healthy, {"how many of them are"});
  v("state", service.state, {.words = kServiceStates});
  v("address", service.address, {"where other services reach it: 127.0.0.1:PORT, the same for as long as it exists"});
  v("instances", service.instances);
}

struct Status {
  std::string organisation;
  uint64_t generation = 0;
  bool down = false;
  bool node_connected = false;
  std::vector<ServiceStatus> services;
  std::vector<std::string> urls;
  std::vector<model::DaemonStatus> daemons;
  std::vector<std::string> departures;
  std::vector<std::string> problems;
  std::optional<RolloutStatus> rollout;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Status>& status) {
  v("organisation", status.organisation);
  v("generation", status.generation, {"the current one; 0: there is none yet"});
  v("down", status.down, {"everything was asked to stop"});
  v("node_connected", status.node_connected, {"an agent is connected: what is told of instances is so now"});
  v("services", status.services);
  v("urls", status.urls, {"where a person would look"});
  v("daemons", status.daemons);
  v("departures", status.departures, {"where what runs is not what the file says: by whom, since when"});
  v("problems", status.problems, {"what this machine cannot do as asked"});
  v("rollout", status.rollout, {"the one under way"});
}

struct EventLine {
  uint64_t id = 0;
  std::string time;
  std::string kind;
  std::string subject;
  std::optional<std::string> cause{};
  std::optional<std::string> actor{};
  std::string message;
  std::optional<codec::Json> detail{};
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, EventLine>& line) {
  v("id", line.id, {"grows by one with each event, for ever"});
  v("time", line.time, {.format = "date-time"});
  v("kind", line.kind, {"parts from the general to the special: instance.ended"});
  v("subject", line.subject, {"what it happened to: web, web.3, generation 4"});
  v("cause", line.cause, {"in terms of other things: event 17, signal 9"});
  v("actor", line.actor, {"who"});
  v("message", line.message, {"for a person"});
  v("detail", line.detail);
}

struct LogLine {
  std::string time;
  std::string service;
  std::string instance;
  std::string stream;
  std::string line;
  std::optional<bool> continued{};
  std::optional<uint64_t> dropped{};
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, LogLine>& line) {
  v("time", line.time, {.format = "date-time"});
  v("service", line.service);
  v("instance", line.instance);
  v("stream", line.stream, {"stdout, stderr; keeper: what its keeper says of it"});
  v("line", line.line, {"bytes that are no UTF-8 are U+FFFD"});
  v("continued", line.continued, {"it was too long: the next of the same instance and stream goes on with it"});
  v("dropped", line.dropped, {"of a keeper: how many lines the disk did not take"});
}

// A request that the gateway answered. Written by it (gateway/access_log.cc), and only described here.
struct AccessLine {
  std::string time, client, method, host, path;
  uint16_t status = 0;
  uint64_t bytes = 0, received = 0;
  double ms = 0;
  std::optional<std::string> service{}, instance{};
  std::optional<uint32_t> retries{};
  std::string request;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, AccessLine>& line) {
  v("time", line.time, {.format = "date-time"});
  v("client", line.client);
  v("method", line.method);
  v("host", line.host);
  v("path", line.path);
  v("status", line.status);
  v("bytes", line.bytes, {"sent"});
  v("received", line.received, {"bytes"});
  v("ms", line.ms, {"from the request's first byte to the answer's last"});
  v("service", line.service);
  v("instance", line.instance);
  v("retries", line.retries, {"how often another instance was asked"});
  v("request", line.request, {"its id, as passed on in X-Request-Id"});
}

}  // namespace freehold::api
