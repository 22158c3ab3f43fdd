#include "cli/local_plan.h"

#include "contents/manifest.h"
#include "control/plan.h"
#include "control/plan_text.h"

namespace freehold::cli {

Result<api::PlanAnswer> plan_locally(const Project& project, WallTime now) {
  control::Generation generation;
  generation.number = 1;
  generation.organisation = project.organisation;
  for (const auto& [service, json] : project.submission.releases) {
    FH_ASSIGN(contents::Manifest manifest, codec::from_json<contents::Manifest>(json));
    generation.releases[service] = manifest.digest();
  }
  for (const auto& [folder, json] : project.submission.files) {
    FH_ASSIGN(contents::Manifest manifest, codec::from_json<contents::Manifest>(json));
    generation.files[folder] = manifest.digest();
  }
  // There is nothing to compare with, so any hash and any port does.
  for (const auto& [name, value] : project.submission.secrets) generation.secret_hashes[name] = "new";
  control::Allocations allocations;
  for (const auto& [name, service] : project.organisation.services) allocations.addresses[name] = 1;
  FH_ASSIGN(control::Composed composed, control::compose(generation, allocations, {}));
  control::Plan plan = control::make_plan(composed, nullptr, nullptr, {}, now);
  return api::PlanAnswer{0, plan.empty(), control::render(plan, control::Colour::kOff), codec::to_json(plan)};
}

}  // namespace freehold::cli
