// Jobs: those of the current generation, with what the node tells of them.
#include "api/work.h"

namespace freehold::api {
namespace {

Result<JobsAnswer> jobs(const Call& call) {
  const control::Controller& controller = call.backend.controller;
  JobsAnswer answer;
  answer.timezone = "UTC";
  answer.node_connected = controller.connected();
  if (controller.composed() == nullptr) return answer;
  answer.timezone = controller.composed()->timezone;
  for (const auto& [name, service] : controller.composed()->services) {
    if (!service->source.job) continue;
    JobStatus& job = answer.jobs.emplace_back();
    job.schedule = service->source.job->schedule;
    job.observed.name = name;
    for (const model::ObservedJob& observed : controller.observed().jobs) {
      if (observed.name == name) job.observed = observed;
    }
  }
  return answer;
}

}  // namespace

std::vector<Resource> resources_of_jobs() {
  return {{.path = "/v1/jobs",
           .name = "listJobs",
           .group = "looking",
           .summary = "The jobs of the current generation: when they are due, and how they ended",
           .work = json<&jobs>()}};
}

}  // namespace freehold::api
