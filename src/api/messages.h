// What the API takes and gives, as JSON through `fields`: shared by the server (api) and the command line (cli).
//
//   POST /v1/plan       model::Submission -> PlanAnswer          PUT  /v1/contents/<sha256>   bytes
//   POST /v1/apply      model::Submission -> ChangeAnswer         POST /v1/contents/missing    [digest] -> [digest]
//   POST /v1/rollback   RollbackRequest -> ChangeAnswer      GET  /v1/status?follow=1     Status
//   POST /v1/services/NAME/restart|scale  ServiceRequest     GET  /v1/generations         [GenerationSummary]
//   POST /v1/drain      DrainRequest -> ChangeAnswer         GET  /v1/generations/N       generation, with ETag
//   POST /v1/down       -> ChangeAnswer                      GET  /v1/diff?from=N&to=M    PlanAnswer
//   GET  /v1/events?after=ID&subject=S&last=N&follow=1       GET  /v1/rollout             RolloutStatus
//   GET  /v1/jobs       JobsAnswer
//   GET  /v1/logs?service=S&since=T&last=N&access=1&follow=1 GET  /livez /readyz /healthz /metrics
// Every answer that is no success is a Problem, with the HTTP status that fits its code.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/progress.h"
#include "model/instance.h"

namespace freehold::api {

using codec::Of;

struct Problem {
  std::string code;     // to_string(ErrorCode)
  std::string message;  // for a person
  std::vector<std::string> details;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Problem>& problem) {
  v("code", problem.code);
  v("message", problem.message);
  v("details", problem.details);
}

struct PlanAnswer {
  uint64_t base = 0;  // the current generation that it was planned against
  bool empty = true;
  std::string text;  // for people
  codec::Json plan;  // control::Plan
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, PlanAnswer>& answer) {
  v("base", answer.base);
  v("empty", answer.empty);
  v("text", answer.text);
  v("plan", answer.plan);
}

struct RollbackRequest {
  std::optional<uint64_t> generation;  // default: the one that was current before
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, RollbackRequest>& request) {
  v("generation", request.generation);
}

struct ServiceRequest {
  std::optional<uint32_t> replicas;  // scale
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ServiceRequest>& request) {
  v("replicas", request.replicas);
}

struct DrainRequest {
  std::string subject;  // an instance or a service
  bool off = false;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, DrainRequest>& request) {
  v("subject", request.subject);
  v("off", request.off);
}

// A change was accepted: follow the rollout of that id.
struct ChangeAnswer {
  uint64_t rollout = 0;     // 0: there was nothing to do
  uint64_t generation = 0;  // the generation that it leads to
  uint64_t event = 0;       // events of it have greater ids
  bool undoes = false;      // the apply that was under way goes back: its end as undone is what was asked for
  std::string text;         // for people: what was chosen, and why
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ChangeAnswer>& answer) {
  v("rollout", answer.rollout);
  v("generation", answer.generation);
  v("event", answer.event);
  v("undoes", answer.undoes);
  v("text", answer.text);
}

struct RolloutStatus {
  uint64_t id = 0;  // 0: there was none yet
  std::string kind;
  std::string outcome;  // running, done, undone, failed
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
  v("id", status.id);
  v("kind", status.kind);
  v("outcome", status.outcome);
  v("reason", status.reason);
  v("generation", status.generation);
  v("who", status.who);
  v("started", status.started);
  v("lasted", status.lasted);
  v("going_back", status.going_back);
  v("services", status.services);
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
  v("status", summary.status);
  v("created", summary.created);
  v("who", summary.who);
  v("message", summary.message);
  v("outcome", summary.outcome);
  v("services", summary.services);
}

struct JobStatus {
  std::string schedule;
  model::ObservedJob observed;  // as the node told last
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, JobStatus>& job) {
  v("schedule", job.schedule);
  fields(v, job.observed);
}

struct JobsAnswer {
  std::string timezone;  // of the schedules
  bool node_connected = false;
  std::vector<JobStatus> jobs;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, JobsAnswer>& answer) {
  v("timezone", answer.timezone);
  v("node_connected", answer.node_connected);
  v("jobs", answer.jobs);
}

struct ServiceStatus {
  std::string name;
  uint32_t replicas = 0;  // wanted, with a scale
  uint32_t healthy = 0;
  std::string state;    // healthy, degraded, down, starting, crash-looping, drained
  std::string address;  // stable, on loopback: host:port
  std::vector<model::ObservedInstance> instances;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ServiceStatus>& service) {
  v("name", service.name);
  v("replicas", service.replicas);
  v("healthy", service.healthy);
  v("state", service.state);
  v("address", service.address);
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
  std::vector<std::string> departures;  // from the file: by whom, since when
  std::vector<std::string> problems;
  std::optional<RolloutStatus> rollout;  // the one under way
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Status>& status) {
  v("organisation", status.organisation);
  v("generation", status.generation);
  v("down", status.down);
  v("node_connected", status.node_connected);
  v("services", status.services);
  v("urls", status.urls);
  v("daemons", status.daemons);
  v("departures", status.departures);
  v("problems", status.problems);
  v("rollout", status.rollout);
}

}  // namespace freehold::api
