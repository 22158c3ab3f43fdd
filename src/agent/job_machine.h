// JobMachine: when a job is started, and what becomes of a run that ended, decided without doing it.
//
// It changes a JobRecord, which the caller stores before it acts: the due time last handled is on disk before the run
// that it causes, so that no due time has two runs, whatever is killed when. All times are passed in.
//
//   - A due time that comes while a run is under way is passed over: one at a time.
//   - Due times that passed while nobody was there (more than kInTime ago) are missed: told once, and with `missed:
//     run` followed by one run for all of them.
//   - A clock that goes back repeats nothing. One that goes back by more than kTurnedBack had been wrong: due times
//     count from the new time on.
//   - A run that failed, and that nobody asked for by hand, is tried again `retries` times; the next due time goes
//     before a retry that still waits.
// Plain values; not thread safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/instance.h"
#include "model/schedule.h"

namespace freehold::agent {

// A run that is under way, or waits for what it needs.
struct ActiveRun {
  model::JobRun run;
  std::string boot_id;
  model::Runtime runtime;  // what it was started with
  model::Stop stop;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, ActiveRun>& active) {
  v("run", active.run);
  v("boot_id", active.boot_id);
  v("runtime", active.runtime);
  v("stop", active.stop);
}

struct PendingRetry {
  WallTime due{};  // of the run that failed
  uint32_t attempt = 2;
  WallTime not_before{};
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, PendingRetry>& retry) {
  v("due", retry.due);
  v("attempt", retry.attempt);
  v("not_before", retry.not_before);
}

// What is kept of a job on disk.
struct JobRecord {
  static constexpr size_t kMostResults = 20;

  uint32_t version = 1;
  std::string name;
  bool wanted = false;
  std::string clock;   // schedule and zone that `handled` was found with
  WallTime handled{};  // due times up to this one have had what they get
  uint64_t last_number = 0;
  std::optional<ActiveRun> active;
  std::optional<PendingRetry> retry;
  std::vector<model::JobResult> results;  // the newest first
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, JobRecord>& record) {
  v("version", record.version);
  v("name", record.name);
  v("wanted", record.wanted);
  v("clock", record.clock);
  v("handled", record.handled);
  v("last_number", record.last_number);
  v("active", record.active);
  v("retry", record.retry);
  v("results", record.results);
}

struct JobNews {
  std::string kind;  // "job.missed"
  std::string text;
};

class JobMachine {
 public:
  static constexpr Duration kInTime = std::chrono::minutes(1);
  static constexpr Duration kTurnedBack = std::chrono::hours(24);

  // All borrowed.
  JobMachine(JobRecord& record, const model::Job& terms) : record_(record), terms_(terms) {}

  // It is wanted, perhaps by another schedule than before: what was due while it was not does not count.
  void want(const std::string& clock, WallTime now);
  // Lets it run now, if nothing is under way. The run has no id yet.
  Result<model::JobRun> ask(const std::string& who, WallTime now) const;
  // What is due now, if anything.
  std::optional<model::JobRun> look(const model::Schedule& schedule, const model::TimeZone& zone, WallTime now);
  // A retry whose time has come, if the schedule has nothing to start.
  std::optional<model::JobRun> look_at_retry(WallTime now);
  // Gives the run its id and makes it the active one.
  void begin(model::JobRun run, const model::Runtime& runtime, const model::Stop& stop, const std::string& boot_id);
  // Of the active run. Returns the ids of runs whose results are not kept any longer.
  std::vector<std::string> end(const model::Exit& exit, WallTime now);
  // The active run ended because nobody wants it any more.
  std::vector<std::string> cancel(const model::Exit& exit, WallTime now);

  // What is to be told, once the record is stored.
  std::vector<JobNews> take_news() { return std::exchange(news_, {}); }
  // The record has to be stored.
  bool changed() const { return changed_; }

 private:
  void tell(std::string kind, std::string text) {
    news_.push_back({std::move(kind), std::move(text)});
    changed_ = true;
  }
  model::JobResult take_result(const model::Exit& exit, WallTime now);
  std::vector<std::string> keep(model::JobResult result);

  JobRecord& record_;
  const model::Job& terms_;
  std::vector<JobNews> news_;
  bool changed_ = false;
};

}  // namespace freehold::agent
