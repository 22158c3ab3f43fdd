#include "agent/job_machine.h"

#include <fmt/core.h>

#include <algorithm>

#include "agent/instance_machine.h"

namespace freehold::agent {
namespace {

// Beyond these, how many were missed is not counted: a month of a job that is due every minute.
constexpr size_t kMostCounted = 31 * 24 * 60;

model::SysSeconds seconds_of(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

struct Due {
  size_t count = 0;
  WallTime first{};
  WallTime last{};
  bool all = true;  // there was no more of it than is counted
};

Due due_between(const model::Schedule& schedule, const model::TimeZone& zone, WallTime after, WallTime until) {
  Due out;
  auto next = schedule.next(zone, seconds_of(after));
  for (; next && *next <= until && out.count < kMostCounted; next = schedule.next(zone, *next)) {
    if (out.count++ == 0) out.first = *next;
    out.last = *next;
  }
  out.all = !next || *next > until;
  if (!out.all) out.last = until;  // the rest is handled too
  return out;
}

}  // namespace

void JobMachine::want(const std::string& clock, WallTime now) {
  if (record_.wanted && record_.clock == clock) return;
  record_.handled = std::max(record_.handled, now);
  record_.wanted = true;
  record_.clock = clock;
  changed_ = true;
}

Result<model::JobRun> JobMachine::ask(const std::string& who, WallTime now) const {
  if (record_.active) {
    return Error(ErrorCode::kConflict, fmt::format("{} is under way since {}, and a job has one run at a time",
                                                   record_.active->run.id, format_time(record_.active->run.started)));
  }
  return model::JobRun{
      .id = {}, .cause = model::RunCause::kAsked, .attempt = 1, .who = who, .due = now, .started = now};
}

std::optional<model::JobRun> JobMachine::look(const model::Schedule& schedule, const model::TimeZone& zone,
                                              WallTime now) {
  if (record_.handled > now + kTurnedBack) {
    tell("job.clock-set-back", fmt::format("the clock went back from {} at least; due times count from now on",
                                           format_time(record_.handled)));
    record_.handled = now;
  }
  Due due = due_between(schedule, zone, record_.handled, now);
  if (due.count == 0) return std::nullopt;
  record_.handled = due.last;
  changed_ = true;
  bool in_time = due.all && now - due.last <= kInTime;
  size_t missed = due.count - (in_time ? 1 : 0);
  bool runs = in_time || terms_.missed == model::Missed::kRun;
  if (missed > 0) {
    tell("job.missed",
         fmt::format("{}{} due {} {} missed: nobody was there to start {}{}", missed,
                     !due.all      ? " runs and more,"
                     : missed == 1 ? " run,"
                                   : " runs,",
                     missed == 1 ? format_time(due.first)
                                 : fmt::format("from {} to {},", format_time(due.first), format_time(due.last)),
                     missed == 1 ? "was" : "were", missed == 1 ? "it" : "them",
                     runs && !in_time ? "; it runs once now" : ""));
  }
  if (!runs) return std::nullopt;
  if (record_.active) {
    tell("job.skipped",
         fmt::format("the run due {} was not started: {} is still under way, since {}", format_time(due.last),
                     record_.active->run.id, format_time(record_.active->run.started)));
    return std::nullopt;
  }
  record_.retry.reset();
  return model::JobRun{.id = {},
                       .cause = in_time ? model::RunCause::kSchedule : model::RunCause::kMissed,
                       .attempt = 1,
                       .who = {},
                       .due = due.last,
                       .started = now};
}

std::optional<model::JobRun> JobMachine::look_at_retry(WallTime now) {
  auto& retry = record_.retry;
  if (!retry || record_.active) return std::nullopt;
  // A clock that went back must not make it wait longer than it was to.
  if (retry->not_before > now + terms_.retry_wait) {
    retry->not_before = now + terms_.retry_wait;
    changed_ = true;
  }
  if (now < retry->not_before) return std::nullopt;
  model::JobRun run{.id = {},
                    .cause = model::RunCause::kRetry,
                    .attempt = retry->attempt,
                    .who = {},
                    .due = retry->due,
                    .started = now};
  retry.reset();
  changed_ = true;
  return run;
}

void JobMachine::begin(model::JobRun run, const model::Runtime& runtime, const model::Stop& stop,
                       const std::string& boot_id) {
  run.id = fmt::format("{}.r{}", record_.name, ++record_.last_number);
  record_.active = ActiveRun{std::move(run), boot_id, runtime, stop};
  changed_ = true;
}

model::JobResult JobMachine::take_result(const model::Exit& exit, WallTime now) {
  model::JobResult result;
  result.run = std::move(record_.active->run);
  record_.active.reset();
  // The keeper knows when, unless it never ran.
  result.ended = exit.at == WallTime{} ? now : exit.at;
  result.ended = std::max(result.ended, result.run.started);
  result.code = exit.code;
  result.signal = exit.signal;
  result.well = exit.code == 0 && exit.signal == 0 && !exit.out_of_memory && exit.failure.empty();
  result.text = describe(exit);
  return result;
}

std::vector<std::string> JobMachine::keep(model::JobResult result) {
  record_.results.insert(record_.results.begin(), std::move(result));
  std::vector<std::string> dropped;
  while (record_.results.size() > JobRecord::kMostResults) {
    dropped.push_back(record_.results.back().run.id);
    record_.results.pop_back();
  }
  return dropped;
}

std::vector<std::string> JobMachine::end(const model::Exit& exit, WallTime now) {
  model::JobResult result = take_result(exit, now);
  std::string text =
      fmt::format("{} {} after {}", result.run.id, result.text, format_short(result.ended - result.run.started));
  if (result.well) {
    tell("job.done", std::move(text));
  } else {
    bool again = result.run.cause != model::RunCause::kAsked && result.run.attempt <= terms_.retries;
    if (again) {
      record_.retry = PendingRetry{result.run.due, result.run.attempt + 1, now + terms_.retry_wait};
      text +=
          fmt::format("; tried again in {}, {} of {}", format(terms_.retry_wait), result.run.attempt, terms_.retries);
    }
    tell("job.failed", std::move(text));
  }
  return keep(std::move(result));
}

std::vector<std::string> JobMachine::cancel(const model::Exit& exit, WallTime now) {
  model::JobResult result = take_result(exit, now);
  result.well = false;
  result.text = fmt::format("stopped, because it is not wanted any more; {}", result.text);
  tell("job.cancelled", fmt::format("{} was {}", result.run.id, result.text));
  return keep(std::move(result));
}

}  // namespace freehold::agent
