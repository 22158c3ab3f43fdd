#include "cli/jobs_text.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/display.h"
#include "cli/table.h"

namespace freehold::cli {
namespace {

constexpr int kSignalBase = 128;

std::string ago(WallTime then, WallTime now) {
  return then >= now ? "now" : fmt::format("{} ago", format_short(now - then));
}
std::string until(WallTime then, WallTime now) {
  return then <= now ? "now" : fmt::format("in {}", format_short(then - now));
}

std::string_view cause_of(const model::JobRun& run) { return enum_names(run.cause)[static_cast<size_t>(run.cause)]; }

Table::Cell next_of(const model::ObservedJob& job, WallTime now) {
  if (!job.problem.empty()) return {"never", Tone::kBad};
  if (job.retry) return fmt::format("retry {}", until(*job.retry, now));
  if (!job.next) return "";
  return fmt::format("{}, {}", until(*job.next, now), job.next_shown);
}

Table::Cell now_of(const model::ObservedJob& job, WallTime now) {
  if (!job.run) return "";
  if (!job.waits.empty()) return {fmt::format("{} {}", job.run->id, job.waits), Tone::kWarn};
  Duration lasted = std::max(now - job.run->started, Duration::zero());
  return {fmt::format("{} for {}", job.run->id, format_short(lasted)), Tone::kGood};
}

Table::Cell last_of(const model::ObservedJob& job, WallTime now) {
  if (job.results.empty()) return {"never ran", Tone::kDim};
  const model::JobResult& last = job.results.front();
  Duration lasted = last.ended - last.run.started;
  if (last.well) return {fmt::format("well, {}, took {}", ago(last.ended, now), format_short(lasted)), Tone::kGood};
  return {fmt::format("{}, {}, took {}", printable(last.text), ago(last.ended, now), format_short(lasted)), Tone::kBad};
}

}  // namespace

std::string render_jobs(const api::JobsAnswer& answer, WallTime now, bool color) {
  if (answer.jobs.empty()) return "There are no jobs: a service with a schedule is one.\n";
  Table table({"JOB", "SCHEDULE", "NEXT", "NOW", "LAST"});
  for (const api::JobStatus& job : answer.jobs) {
    table.add({job.observed.name, printable(job.schedule), next_of(job.observed, now), now_of(job.observed, now),
               last_of(job.observed, now)});
  }
  std::string out = table.text(color);
  if (!answer.node_connected) out += paint("no agent is connected: this is as it was last\n", Tone::kWarn, color);
  for (const api::JobStatus& job : answer.jobs) {
    if (job.observed.problem.empty()) continue;
    out += paint(fmt::format("{}: {}", job.observed.name, printable(job.observed.problem)), Tone::kBad, color) + "\n";
  }
  return out;
}

std::string render_job(const api::JobStatus& job, const std::string& timezone, WallTime now, bool color) {
  std::string out = fmt::format("{}  {}, in {}\n", job.observed.name, printable(job.schedule), timezone);
  out += fmt::format("next  {}\n", next_of(job.observed, now).text);
  if (job.observed.run) out += fmt::format("now   {}\n", now_of(job.observed, now).text);
  if (!job.observed.problem.empty()) out += paint(printable(job.observed.problem), Tone::kBad, color) + "\n";
  if (job.observed.results.empty()) return out + "It never ran.\n";
  Table table({"RUN", "BECAUSE OF", "STARTED", "TOOK", "RESULT"});
  for (const model::JobResult& result : job.observed.results) {
    std::string cause(cause_of(result.run));
    if (result.run.cause == model::RunCause::kRetry) cause += fmt::format(" {}", result.run.attempt - 1);
    table.add({result.run.id,
               cause,
               ago(result.run.started, now),
               format_short(result.ended - result.run.started),
               {printable(result.text), result.well ? Tone::kGood : Tone::kBad}});
  }
  return out + "\n" + table.text(color) + "\n`freehold logs RUN` shows what it printed.\n";
}

int exit_code_of_run(const model::JobResult& result) {
  if (result.signal != 0) return kSignalBase + result.signal;
  return result.well || result.code != 0 ? result.code : 1;
}

}  // namespace freehold::cli
