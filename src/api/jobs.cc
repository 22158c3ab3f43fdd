// GET /v1/jobs: the jobs of the current generation, with what the node tells of them.
#include "api/call.h"

namespace freehold::api {

JobsAnswer make_jobs_answer(const control::Controller& controller) {
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

}  // namespace freehold::api
