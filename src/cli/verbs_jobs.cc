// jobs: what runs by a schedule.
#include <fmt/core.h>

#include "base/text.h"
#include "cli/jobs_text.h"
#include "cli/verbs.h"
#include "os/clock.h"

namespace freehold::cli {

int run_jobs(const Invocation& invocation) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  auto answer = decode<api::JobsAnswer>(session.get("/v1/jobs"));
  if (!answer) return fail(invocation, answer.error());
  bool one = !invocation.arguments.empty();
  if (one) {
    const std::string& wanted = invocation.arguments[0];
    std::vector<std::string_view> names;
    for (const api::JobStatus& job : answer->jobs) names.push_back(job.observed.name);
    std::string near(near_name(wanted, names));
    if (near != wanted) {
      std::string hint = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
      return fail(invocation, Error(ErrorCode::kNotFound, fmt::format("there is no job '{}'{}", wanted, hint)));
    }
    std::erase_if(answer->jobs, [&](const api::JobStatus& job) { return job.observed.name != wanted; });
  }
  WallTime now = os::system_clock().wall();
  if (invocation.output == OutputForm::kHuman) {
    print(one ? render_job(answer->jobs.front(), answer->timezone, now, invocation.color)
              : render_jobs(*answer, now, invocation.color));
  } else {
    print(codec::to_json(*answer).dump() + "\n");
  }
  return kDone;
}

}  // namespace freehold::cli
