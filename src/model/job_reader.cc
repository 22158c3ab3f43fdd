// The keys of a service that is a job, and those that a job cannot have.
#include <fmt/core.h>

#include <algorithm>

#include "model/schedule.h"
#include "model/sections.h"

namespace freehold::model {
namespace {

constexpr uint64_t kMostRetries = 10;
constexpr Duration kLongestWait = std::chrono::hours(24);
constexpr std::string_view kScheduleRule = "\"daily 02:00\", \"sun 03:00\", hourly, or cron such as \"0 2 * * *\"";

struct Unfit {
  std::string_view key;
  std::string_view instead;
};
constexpr Unfit kUnfit[] = {
    {"replicas", "one run of a job is under way at a time"},
    {"prepare", "let its command do that first"},
    {"listen", "nothing connects to a job"},
    {"health", "its exit code says how it went"},
    {"restart", "a run that failed is tried again by retries: {count: 2}"},
    {"deploy", "its next run takes the new program, and none is interrupted for it"},
};

void read_retries(Reading& reading, const Value& value, const std::string& name, Job& job) {
  Section section(reading, value, fmt::format("retries of service '{}'", name), kRetriesKeys);
  if (!section.valid()) return;
  if (auto count = section.find("count")) {
    assign(job.retries, read_count(reading, *count, section.name_of("count"), 0, kMostRetries));
  } else {
    reading.report.error(value.place(), fmt::format("{} has no 'count'", section.what()),
                         {"expected: {count: 2}, or {count: 2, wait: 5m}"});
  }
  auto wait = section.find("wait");
  auto length = wait ? read_duration(reading, *wait, section.name_of("wait"), Zero::kAllowed) : std::nullopt;
  if (length && *length > kLongestWait) {
    refuse(reading, *wait, section.name_of("wait"), "at most 24h");
  } else {
    assign(job.retry_wait, length);
  }
}

}  // namespace

void read_job(Reading& reading, const Section& section, Service& service, const Mentions& mentions) {
  auto schedule = section.find("schedule");
  if (!schedule) {
    for (std::string_view key : {"retries", "missed"}) {
      if (!section.has(key)) continue;
      reading.report.error(section.key_place(key),
                           fmt::format("{} has {}, but no schedule: only a job has both", section.what(), key),
                           {fmt::format("a job has schedule: {}", kScheduleRule)});
    }
    return;
  }
  Job& job = service.job.emplace();
  auto text = read_text(reading, *schedule, section.name_of("schedule"), kScheduleRule);
  auto parsed = text ? Schedule::parse(*text) : Result<Schedule>(Error(ErrorCode::kInvalid, ""));
  if (parsed) {
    job.schedule = *std::move(text);
  } else if (text) {
    reading.report.error(
        schedule->place(),
        fmt::format("{} cannot be {}: {}", section.name_of("schedule"), quote(*text), parsed.error().message()),
        {fmt::format("expected: {}", kScheduleRule)});
  }
  if (auto retries = section.find("retries")) read_retries(reading, *retries, service.name, job);
  if (auto missed = section.find("missed")) {
    assign(job.missed, read_choice(reading, *missed, section.name_of("missed"), kMissed));
  }
  for (const Unfit& unfit : kUnfit) {
    if (!section.has(unfit.key)) continue;
    reading.report.error(
        section.key_place(unfit.key),
        fmt::format("{} has a schedule, so it is a job, and a job has no '{}'", section.what(), unfit.key),
        {std::string(unfit.instead)});
  }
  if (mentions.port) {
    reading.report.error(section.key_place(section.has("run") ? "run" : "schedule"),
                         fmt::format("{} has a schedule, so it is a job, and a job has no ${{PORT}}", section.what()),
                         {"nothing connects to a job"});
  }
}

}  // namespace freehold::model
