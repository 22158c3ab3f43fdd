#include "cli/jobs_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freehold::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const WallTime kNow = *parse_time("2026-11-20T17:00:00Z");

api::JobStatus nightly() {
  api::JobStatus job;
  job.schedule = "daily 02:00";
  job.observed.name = "nightly";
  job.observed.next = kNow + 9h;
  job.observed.next_shown = "Sat 2026-11-21 02:00";
  return job;
}
model::JobResult result(bool well) {
  return {.run = {.id = "nightly.r7", .cause = model::RunCause::kRetry, .attempt = 2, .started = kNow - 2h},
          .ended = kNow - 1h,
          .well = well,
          .code = well ? 0 : 3,
          .text = well ? "ended with exit code 0" : "ended with exit code 3"};
}

TEST(JobsText, SaysWhenItIsNextAndHowItWent) {
  api::JobsAnswer answer{.timezone = "UTC", .node_connected = true, .jobs = {nightly()}};
  EXPECT_EQ(render_jobs(answer, kNow, false),
            "JOB      SCHEDULE     NEXT                         NOW  LAST\n"
            "nightly  daily 02:00  in 9h, Sat 2026-11-21 02:00       never ran\n");
  answer.jobs[0].observed.results = {result(true)};
  EXPECT_THAT(render_jobs(answer, kNow, false), HasSubstr("well, 1h ago, took 1h"));
  answer.jobs[0].observed.results = {result(false)};
  answer.jobs[0].observed.retry = kNow + 5min;
  std::string text = render_jobs(answer, kNow, false);
  EXPECT_THAT(text, HasSubstr("ended with exit code 3, 1h ago, took 1h"));
  EXPECT_THAT(text, HasSubstr("retry in 5m"));
  answer.jobs[0].observed.run = model::JobRun{.id = "nightly.r8", .started = kNow - 30s};
  EXPECT_THAT(render_jobs(answer, kNow, false), HasSubstr("nightly.r8 for 30s"));
  answer.jobs[0].observed.problem = "no tzdata";
  answer.node_connected = false;
  text = render_jobs(answer, kNow, false);
  EXPECT_THAT(text, HasSubstr("nightly: no tzdata\n"));
  EXPECT_THAT(text, HasSubstr("as it was last"));
  EXPECT_THAT(render_jobs({}, kNow, false), HasSubstr("no jobs"));
}

TEST(JobsText, ShowsTheRunsOfOneJob) {
  api::JobStatus job = nightly();
  EXPECT_THAT(render_job(job, "Europe/Berlin", kNow, false), HasSubstr("daily 02:00, in Europe/Berlin"));
  job.observed.results = {result(false), result(true)};
  std::string text = render_job(job, "UTC", kNow, false);
  EXPECT_THAT(text, HasSubstr("nightly.r7  retry 1     2h ago   1h    ended with exit code 3"));
}

TEST(JobsText, TheExitCodeIsThatOfTheRun) {
  EXPECT_EQ(exit_code_of_run(result(true)), 0);
  EXPECT_EQ(exit_code_of_run(result(false)), 3);
  EXPECT_EQ(exit_code_of_run({.signal = 9}), 137);
  EXPECT_EQ(exit_code_of_run({.text = "could not start"}), 1);
}

}  // namespace
}  // namespace freehold::cli
