// Plan: what an apply would change, in what order, why, and what a user would notice.
//
// A pure function of two composed generations, the overrides in force and what the node reports. Services are compared
// by identity and fingerprint first: what compose() shared costs one comparison of pointers, and 10,000 services with
// 100,000 instances plan well within a second (plan_bench.cc). Secrets appear by name only, never by value.
// plan_text.h renders it for people, `fields` as JSON.
#pragma once

#include "control/compose.h"
#include "control/key_rules.h"

namespace freehold::control {

enum class ChangeKind {
  kPrepare,           // its prepare command runs once, before the next line of the same service
  kCreate,            // it does not run now
  kReplace,           // new instances first, old ones stop as the new ones serve
  kReplaceStopFirst,  // a volume has one writer: the old one stops before the new one starts
  kScaleUp,
  kScaleDown,
  kUpdate,  // reaches what runs in place
  kRemove,
};
inline std::span<const std::string_view> enum_names(ChangeKind) {
  static constexpr std::array<std::string_view, 8> kNames = {"prepare",  "create",     "replace", "replace-stop-first",
                                                             "scale-up", "scale-down", "update",  "remove"};
  return kNames;
}

struct ServiceChange {
  uint32_t step = 1;  // all of one step may go at the same time
  std::string service;
  ChangeKind kind = ChangeKind::kUpdate;
  uint32_t from_replicas = 0;
  uint32_t to_replicas = 0;
  uint32_t batch = 1;    // of a rolling replacement
  std::string schedule;  // of a job; it has no replicas
  std::vector<KeyChange> reasons;
  std::string notice;  // what a user would notice: "nothing", or a sentence
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ServiceChange>& change) {
  v("step", change.step, {"all of one step may go at the same time"});
  v("service", change.service);
  v("kind", change.kind);
  v("from_replicas", change.from_replicas);
  v("to_replicas", change.to_replicas);
  v("batch", change.batch, {"how many are replaced at once"});
  v("schedule", change.schedule, {"of a job"});
  v("reasons", change.reasons);
  v("notice", change.notice, {"what a user would notice: nothing, or a sentence"});
}

struct RouteChange {
  std::string route;       // "coop.example/api/*"
  std::string old_target;  // empty: the route is new
  std::string new_target;  // empty: the route is removed
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, RouteChange>& change) {
  v("route", change.route, {"host and pattern: coop.example/api/*"});
  v("old", change.old_target, {"empty: it is new"});
  v("new", change.new_target, {"empty: it goes"});
}

enum class SecretNews { kUsed, kNewValue, kUnused };
inline std::span<const std::string_view> enum_names(SecretNews) {
  static constexpr std::array<std::string_view, 3> kNames = {"used", "new-value", "unused"};
  return kNames;
}
struct SecretChange {
  std::string name;
  SecretNews news = SecretNews::kUsed;
  std::vector<std::string> services;  // that use it, or used it
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, SecretChange>& change) {
  v("name", change.name);
  v("news", change.news);
  v("services", change.services, {"that use it, or used it"});
}

// Where what runs is not what the file says.
enum class DepartureKind { kScale, kDrain, kDown, kMissing, kFailing, kNode };
inline std::span<const std::string_view> enum_names(DepartureKind) {
  static constexpr std::array<std::string_view, 6> kNames = {"scale", "drain", "down", "missing", "failing", "node"};
  return kNames;
}
struct Departure {
  DepartureKind kind = DepartureKind::kMissing;
  std::string service;
  std::string text;
  std::string who;               // empty: nobody asked for it
  std::optional<WallTime> when;  // when they did
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Departure>& departure) {
  v("kind", departure.kind);
  v("service", departure.service);
  v("text", departure.text);
  v("who", departure.who, {"empty: nobody asked for it"});
  v("when", departure.when);
}

struct Plan {
  uint64_t target = 0;   // generation
  uint64_t current = 0;  // the one it is planned against; 0: none
  WallTime made{};
  bool observed = false;               // what really runs was looked at
  std::vector<ServiceChange> changes;  // in order
  std::vector<RouteChange> routes;     // after the services that they name are done
  std::vector<KeyChange> gateway;
  std::vector<KeyChange> keep;  // of logs and events
  std::vector<SecretChange> secrets;
  std::vector<Departure> departures;
  uint64_t unchanged = 0;  // services

  // Nothing to apply: exit code 0 of --detailed-exitcode, otherwise 2. Departures are no changes: an apply does not
  // heal a program that crashes, and leaves a scale in force.
  bool empty() const { return changes.empty() && routes.empty() && gateway.empty() && keep.empty() && secrets.empty(); }
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Plan>& plan) {
  v("target", plan.target, {"generation"});
  v("current", plan.current, {"the generation that it is planned against; 0: none"});
  v("made", plan.made);
  v("observed", plan.observed, {"what really runs was looked at"});
  v("changes", plan.changes);
  v("routes", plan.routes);
  v("gateway", plan.gateway);
  v("keep", plan.keep);
  v("secrets", plan.secrets);
  v("departures", plan.departures, {"where what runs is not what the file says"});
  v("unchanged", plan.unchanged, {"how many services"});
}

// `current`: null before the first generation. `observed`: null if no node answers; the plan then has no departures of
// its making. `overrides`: those in force now; `desired` was composed with carried_overrides() of them.
Plan make_plan(const Composed& desired, const Composed* current, const model::NodeObserved* observed,
               const Overrides& overrides, WallTime now);

}  // namespace freehold::control
