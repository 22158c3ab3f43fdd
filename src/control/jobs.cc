#include "control/jobs.h"

namespace freehold::control {

void add_jobs(const Composed& composed, model::NodeDesired& desired) {
  desired.timezone = composed.timezone;
  for (const auto& [name, service] : composed.services) {
    if (!service->source.job) continue;
    const ServiceSpec& spec = service->spec;
    desired.runtimes.try_emplace(spec.runtime.fingerprint, spec.runtime);
    desired.jobs[name] = {spec.runtime.fingerprint, *service->source.job, spec.supervision.stop,
                          spec.supervision.needs};
  }
}

std::vector<std::string> secrets_of_jobs(const Composed& composed) {
  std::vector<std::string> out;
  for (const auto& [name, service] : composed.services) {
    if (!service->source.job) continue;
    for (const auto& [secret, hash] : service->spec.runtime.secret_hashes) out.push_back(hash);
  }
  return out;
}

}  // namespace freehold::control
