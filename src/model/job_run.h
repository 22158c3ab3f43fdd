// Jobs between control and the agent of a node: what is wanted, and what has become of it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "model/organisation.h"

namespace freehold::model {

struct DesiredJob {
  std::string fingerprint;  // of the runtime that the next run is started with
  Job terms;
  Stop stop;
  std::vector<std::string> needs;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, DesiredJob>& job) {
  v("fingerprint", job.fingerprint);
  v("terms", job.terms);
  v("stop", job.stop);
  v("needs", job.needs);
}

enum class RunCause {
  kSchedule,
  kMissed,  // it was due while nobody was there
  kRetry,
  kAsked,  // `freehold run`
};
inline std::span<const std::string_view> enum_names(RunCause) {
  static constexpr std::array<std::string_view, 4> kNames = {"schedule", "missed", "retry", "asked"};
  return kNames;
}

// One run of a job, from when it was decided.
struct JobRun {
  std::string id;  // "nightly.r12": the job and a number that is never used again; also the name of its log
  RunCause cause = RunCause::kSchedule;
  uint32_t attempt = 1;
  std::string who;  // asked for it
  WallTime due{};   // the due time that it is for; of one that was asked for: when
  WallTime started{};
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, JobRun>& run) {
  v("id", run.id);
  v("cause", run.cause);
  v("attempt", run.attempt, {"1, and more for what is retried"});
  v("who", run.who, {"asked for it"});
  v("due", run.due, {"the due time that it is for"});
  v("started", run.started);
}

struct JobResult {
  JobRun run;
  WallTime ended{};
  bool well = false;  // exit code 0
  int code = 0;
  int signal = 0;
  std::string text;  // for a person: "ended with exit code 1"
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, JobResult>& result) {
  v("run", result.run);
  v("ended", result.ended);
  v("well", result.well);
  v("code", result.code);
  v("signal", result.signal, {"that ended it; 0: none did"});
  v("text", result.text);
}

struct ObservedJob {
  std::string name;
  std::optional<WallTime> next;    // absent: its schedule cannot be worked out, see `problem`
  std::string next_shown;          // on the organisation's clocks: "Sat 2026-11-21 02:00"
  std::optional<JobRun> run;       // now
  std::string waits;               // why that one has not begun yet
  std::optional<WallTime> retry;   // after a failure
  std::vector<JobResult> results;  // the last ones, the newest first
  std::string problem;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, ObservedJob>& job) {
  v("name", job.name);
  v("next", job.next, {"absent: its schedule cannot be worked out, see `problem`"});
  v("next_shown", job.next_shown, {"on the organisation's clocks"});
  v("run", job.run);
  v("waits", job.waits, {"why that one has not begun yet"});
  v("retry", job.retry, {"when, after a failure"});
  v("results", job.results, {"the last ones, the newest first"});
  v("problem", job.problem);
}

}  // namespace freehold::model
