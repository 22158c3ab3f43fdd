#include "api/metrics.h"

#include <fmt/core.h>

namespace freehold::api {
namespace {

// Label values escape backslash, quote and line feed.
std::string label(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class T>
  void sample(std::string_view name, std::string_view labels, T value) {
    out_ += labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace

http::Response metrics_page(const Backend& backend) {
  Status status = make_status(backend.controller);
  Page page;
  page.family("freehold_generation", "gauge", "Number of the current generation.");
  page.sample("freehold_generation", "", status.generation);
  page.family("freehold_agent_connected", "gauge", "Whether the agent of the node is connected to control.");
  page.sample("freehold_agent_connected", "", status.node_connected ? 1 : 0);
  page.family("freehold_service_replicas", "gauge", "Instances wanted of a service.");
  for (const ServiceStatus& service : status.services) {
    page.sample("freehold_service_replicas", fmt::format("service=\"{}\"", label(service.name)), service.replicas);
  }
  page.family("freehold_service_healthy", "gauge", "Instances of a service that are healthy.");
  for (const ServiceStatus& service : status.services) {
    page.sample("freehold_service_healthy", fmt::format("service=\"{}\"", label(service.name)), service.healthy);
  }
  page.family("freehold_instance_restarts_total", "counter", "Restarts of an instance since it was placed.");
  for (const ServiceStatus& service : status.services) {
    for (const model::ObservedInstance& instance : service.instances) {
      page.sample("freehold_instance_restarts_total",
                  fmt::format("service=\"{}\",instance=\"{}\"", label(service.name), label(instance.id)),
                  instance.restarts);
    }
  }
  auto newest = backend.events.newest();
  page.family("freehold_events_total", "counter", "Events written since the state was made.");
  page.sample("freehold_events_total", "", newest ? newest->value : 0);
  page.family("freehold_api_requests_total", "counter", "Requests to the API, by method.");
  for (const auto& [method, count] : backend.requests)
    page.sample("freehold_api_requests_total", fmt::format("method=\"{}\"", label(method)), count);
  return http::response_of(200, "text/plain; version=0.0.4; charset=utf-8", page.take());
}

}  // namespace freehold::api
