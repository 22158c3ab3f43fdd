#include <fmt/core.h>

#include <algorithm>

#include "api/call.h"

namespace freehold::api {
namespace {

using model::InstanceState;

std::string state_of(const ServiceStatus& service, bool drained) {
  auto any = [&](InstanceState state) {
    return std::ranges::any_of(service.instances, [&](const auto& instance) { return instance.state == state; });
  };
  if (service.replicas == 0) return service.instances.empty() ? "stopped" : "stopping";
  if (drained) return "drained";
  if (service.healthy >= service.replicas) return "healthy";
  if (any(InstanceState::kCrashLooping)) return service.healthy == 0 ? "crash-looping" : "degraded";
  if (service.healthy > 0) return "degraded";
  if (any(InstanceState::kStarting) || any(InstanceState::kWaiting)) return "starting";
  return "down";
}

// "127.0.0.1:8080", or the host's name with the port where it is not the usual one.
std::string authority_of(const std::string& host, const model::Listen& listen) {
  bool any_host = host.empty() || host.starts_with('*');
  bool any_address = listen.address.empty() || listen.address == "0.0.0.0" || listen.address == "::";
  std::string name = !any_host ? host : any_address ? "localhost" : listen.address;
  if (name.find(':') != std::string::npos) name = "[" + name + "]";
  return listen.port == 80 ? name : fmt::format("{}:{}", name, listen.port);
}

}  // namespace

RolloutStatus make_rollout_status(const control::Controller& controller) {
  RolloutStatus status;
  if (!controller.rollout()) return status;
  const control::Rollout& rollout = *controller.rollout();
  status.id = rollout.id;
  status.kind = enum_names(rollout.kind)[static_cast<size_t>(rollout.kind)];
  status.outcome = enum_names(rollout.outcome)[static_cast<size_t>(rollout.outcome)];
  status.reason = rollout.reason;
  status.generation = rollout.target;
  status.who = rollout.who;
  status.started = rollout.started;
  WallTime until = rollout.outcome == control::Outcome::kRunning ? controller.now().wall : rollout.finished;
  status.lasted = std::max(until - rollout.started, Duration::zero());
  status.going_back = rollout.direction == control::Direction::kUndo;
  status.services = controller.progress();
  return status;
}

std::vector<std::string> urls_of(const model::Organisation& organisation) {
  std::vector<std::string> urls;
  if (organisation.gateway.http.empty()) return urls;
  const model::Listen& listen = organisation.gateway.http.front();
  for (const model::Route& route : organisation.routes) {
    for (const model::PathRule& rule : route.paths)
      urls.push_back(fmt::format("http://{}{}", authority_of(route.host, listen), rule.pattern));
  }
  return urls;
}

Status make_status(const control::Controller& controller) {
  Status status;
  status.generation = controller.current();
  status.node_connected = controller.connected();
  status.down = controller.overrides().down.has_value();
  const auto& generation = controller.current_generation();
  // During the very first apply there is no current generation, but there are instances to see.
  std::map<std::string, ServiceStatus> services;
  if (generation) {
    status.organisation = generation->organisation.name;
    if (!status.down) status.urls = urls_of(generation->organisation);
  }
  if (controller.composed() != nullptr) {
    for (const auto& [name, composed] : controller.composed()->services) {
      if (!composed->source.job) services[name].replicas = composed->spec.replicas;
    }
  }
  // What is being made is what there shall be, also before it is the current generation.
  const auto& rollout = controller.rollout();
  bool rolling = rollout && rollout->outcome == control::Outcome::kRunning;
  if (rolling) {
    for (const control::ServiceProgress& progress : controller.progress())
      services[progress.service].replicas = progress.wanted;
  }
  for (const model::ObservedInstance& instance : controller.observed().instances) {
    ServiceStatus& service = services[instance.service];
    if (instance.state == InstanceState::kHealthy) ++service.healthy;
    service.instances.push_back(instance);
  }
  for (auto& [name, service] : services) {
    service.name = name;
    auto address = controller.allocations().addresses.find(name);
    if (address != controller.allocations().addresses.end())
      service.address = fmt::format("127.0.0.1:{}", address->second);
    service.state = state_of(service, controller.overrides().drained.contains(name));
    status.services.push_back(std::move(service));
  }
  status.daemons = controller.observed().daemons;
  status.problems = controller.observed().problems;
  for (const control::Departure& departure : controller.departures()) {
    status.departures.push_back(departure.text + (departure.who.empty() ? "" : ", by " + departure.who) +
                                (departure.when ? " at " + format_time(*departure.when) : ""));
  }
  if (rolling) {
    status.rollout = make_rollout_status(controller);
    if (status.organisation.empty()) status.organisation = rollout->organisation;
  }
  return status;
}

}  // namespace freehold::api
