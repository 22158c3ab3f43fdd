#include "agent/job_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;
using model::RunCause;
using testing::ElementsAre;
using testing::HasSubstr;

WallTime at(std::string_view text) { return *parse_time(text); }

// One job on clocks in UTC, told by hand what time it is.
class JobMachineTest : public testing::Test {
 protected:
  JobMachineTest() {
    record_.name = "nightly";
    with([&](JobMachine& machine) { machine.want("daily 02:00 UTC", now_); });
  }

  template <class Call>
  std::invoke_result_t<Call, JobMachine&> with(Call call) {
    JobMachine machine(record_, terms_);
    struct Tell {
      JobMachineTest& test;
      JobMachine& machine;
      ~Tell() {
        test.changed_ = machine.changed();
        for (JobNews& news : machine.take_news()) test.news_.push_back(news.kind + ": " + news.text);
      }
    } tell{*this, machine};
    return call(machine);
  }
  std::optional<model::JobRun> look(std::string_view when) {
    now_ = at(when);
    return with([&](JobMachine& machine) {
      auto run = machine.look(*model::Schedule::parse(terms_.schedule), model::TimeZone::utc(), now_);
      return run ? run : machine.look_at_retry(now_);
    });
  }
  // Starts what is due then; its id.
  std::string start(std::string_view when) {
    auto run = look(when);
    EXPECT_TRUE(run) << when;
    if (!run) return "";
    with([&](JobMachine& machine) { machine.begin(*run, {}, {}, "boot"); });
    return record_.active->run.id;
  }
  std::vector<std::string> end(int code, std::string_view when) {
    now_ = at(when);
    return with([&](JobMachine& machine) { return machine.end({.code = code, .at = now_}, now_); });
  }
  std::vector<std::string> news() { return std::exchange(news_, {}); }

  JobRecord record_;
  model::Job terms_{.schedule = "daily 02:00"};
  WallTime now_ = at("2026-11-20T17:00:00Z");
  std::vector<std::string> news_;
  bool changed_ = false;
};

TEST_F(JobMachineTest, RunsWhenItIsDueAndOnce) {
  EXPECT_FALSE(look("2026-11-21T01:59:59.999Z"));
  EXPECT_FALSE(changed_) << "nothing to store";
  auto run = look("2026-11-21T02:00:00Z");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->cause, RunCause::kSchedule);
  EXPECT_EQ(run->due, at("2026-11-21T02:00:00Z"));
  EXPECT_TRUE(changed_) << "the due time is handled before anything starts";
  EXPECT_EQ(record_.handled, at("2026-11-21T02:00:00Z"));
  EXPECT_FALSE(look("2026-11-21T02:00:01Z"));
  EXPECT_TRUE(look("2026-11-22T02:00:10Z")) << "a few seconds late";
}

TEST_F(JobMachineTest, WhatWasDueBeforeItWasWantedDoesNotCount) {
  EXPECT_FALSE(look("2026-11-20T17:00:01Z"));
  // Another schedule: what it would have had today is no run that was missed.
  terms_.schedule = "daily 12:00";
  with([&](JobMachine& machine) { machine.want("daily 12:00 UTC", at("2026-11-20T18:00:00Z")); });
  EXPECT_FALSE(look("2026-11-20T18:00:01Z"));
  EXPECT_TRUE(look("2026-11-21T12:00:00Z"));
  // Not wanted for a while, and again.
  record_.wanted = false;
  with([&](JobMachine& machine) { machine.want("daily 12:00 UTC", at("2026-11-29T12:30:00Z")); });
  EXPECT_FALSE(look("2026-11-29T12:30:01Z"));
  EXPECT_THAT(news(), ElementsAre());
}

TEST_F(JobMachineTest, OneAtATime) {
  terms_.schedule = "* * * * *";
  EXPECT_EQ(start("2026-11-20T17:01:00Z"), "nightly.r1");
  EXPECT_FALSE(look("2026-11-20T17:02:00Z"));
  EXPECT_THAT(news(), ElementsAre("job.skipped: the run due 2026-11-20T17:02:00.000Z was not started: nightly.r1 is "
                                  "still under way, since 2026-11-20T17:01:00.000Z"));
  auto asked = with([&](JobMachine& machine) { return machine.ask("ada", now_); });
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().message(), HasSubstr("one run at a time"));
  end(0, "2026-11-20T17:02:30Z");
  EXPECT_EQ(start("2026-11-20T17:03:00Z"), "nightly.r2") << "and what was passed over is not made up for";
}

TEST_F(JobMachineTest, MissedRunsAreToldOnce) {
  EXPECT_FALSE(look("2026-11-24T09:00:00Z"));
  EXPECT_THAT(news(), ElementsAre("job.missed: 4 runs, due from 2026-11-21T02:00:00.000Z to 2026-11-24T02:00:00.000Z, "
                                  "were missed: nobody was there to start them"));
  EXPECT_FALSE(look("2026-11-24T09:00:30Z"));
  EXPECT_THAT(news(), ElementsAre());
  EXPECT_TRUE(look("2026-11-25T02:00:00Z"));
}

TEST_F(JobMachineTest, MissedRunsAreMadeUpForByOne) {
  terms_.missed = model::Missed::kRun;
  auto run = look("2026-11-21T09:00:00Z");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->cause, RunCause::kMissed);
  EXPECT_EQ(run->due, at("2026-11-21T02:00:00Z"));
  EXPECT_THAT(news(), ElementsAre("job.missed: 1 run, due 2026-11-21T02:00:00.000Z was missed: nobody was there to "
                                  "start it; it runs once now"));
  EXPECT_FALSE(look("2026-11-21T09:00:30Z"));
  // Many missed, and one due just now: that one runs in its own right.
  auto on_time = look("2026-11-30T02:00:20Z");
  ASSERT_TRUE(on_time);
  EXPECT_EQ(on_time->cause, RunCause::kSchedule);
  EXPECT_THAT(news(), ElementsAre(HasSubstr("8 runs")));
}

TEST_F(JobMachineTest, AYearOfMinutesIsMissedInOneGo) {
  terms_.schedule = "* * * * *";
  EXPECT_FALSE(look("2028-01-01T00:00:30Z"));
  EXPECT_THAT(news(), ElementsAre(HasSubstr("44640 runs and more")));
  EXPECT_FALSE(look("2028-01-01T00:00:40Z"));
  EXPECT_TRUE(look("2028-01-01T00:01:00Z"));
}

TEST_F(JobMachineTest, AClockThatGoesBackRepeatsNothing) {
  start("2026-11-21T02:00:00Z");
  end(0, "2026-11-21T02:01:00Z");
  news();
  EXPECT_FALSE(look("2026-11-20T23:00:00Z"));
  EXPECT_FALSE(look("2026-11-21T02:00:00Z")) << "the same due time again";
  EXPECT_THAT(news(), ElementsAre());
  EXPECT_TRUE(look("2026-11-22T02:00:00Z"));
}

TEST_F(JobMachineTest, AClockThatWasWrongByYearsDoesNotSilenceAJob) {
  look("2036-01-01T00:00:00Z");
  news();
  EXPECT_FALSE(look("2026-11-20T17:05:00Z"));
  EXPECT_THAT(news(), ElementsAre(HasSubstr("job.clock-set-back")));
  EXPECT_TRUE(look("2026-11-21T02:00:00Z"));
}

TEST_F(JobMachineTest, AFailureIsTriedAgainAsOftenAsItSays) {
  terms_.retries = 2;
  terms_.retry_wait = 5min;
  start("2026-11-21T02:00:00Z");
  end(3, "2026-11-21T02:00:10Z");
  EXPECT_THAT(news(),
              ElementsAre("job.failed: nightly.r1 ended with exit code 3 after 10s; tried again in 5m, 1 of 2"));
  EXPECT_FALSE(look("2026-11-21T02:05:09Z"));
  EXPECT_EQ(start("2026-11-21T02:05:10Z"), "nightly.r2");
  EXPECT_EQ(record_.active->run.cause, RunCause::kRetry);
  EXPECT_EQ(record_.active->run.attempt, 2u);
  end(3, "2026-11-21T02:05:20Z");
  EXPECT_EQ(start("2026-11-21T02:10:20Z"), "nightly.r3");
  news();
  end(3, "2026-11-21T02:10:30Z");
  EXPECT_THAT(news(), ElementsAre("job.failed: nightly.r3 ended with exit code 3 after 10s"));
  EXPECT_FALSE(look("2026-11-21T09:00:00Z"));
}

TEST_F(JobMachineTest, ARetryEndsWithTheFirstThatGoesWell) {
  terms_.retries = 5;
  start("2026-11-21T02:00:00Z");
  end(1, "2026-11-21T02:00:10Z");
  start("2026-11-21T02:01:10Z");
  end(0, "2026-11-21T02:01:20Z");
  EXPECT_FALSE(record_.retry);
  EXPECT_FALSE(look("2026-11-21T09:00:00Z"));
  EXPECT_TRUE(record_.results.front().well);
}

TEST_F(JobMachineTest, TheNextDueTimeGoesBeforeARetryThatWaits) {
  terms_.retries = 1;
  terms_.retry_wait = 24h;
  start("2026-11-21T02:00:00Z");
  end(1, "2026-11-21T02:00:10Z");
  auto run = look("2026-11-22T02:00:00Z");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->cause, RunCause::kSchedule);
  EXPECT_FALSE(record_.retry);
}

TEST_F(JobMachineTest, ARetryDoesNotWaitLongerBecauseTheClockWentBack) {
  terms_.retries = 1;
  start("2026-11-21T02:00:00Z");
  end(1, "2026-11-21T02:00:10Z");
  EXPECT_FALSE(look("2026-11-20T20:00:00Z"));
  EXPECT_TRUE(look("2026-11-20T20:01:00Z"));
}

TEST_F(JobMachineTest, WhatSomebodyAskedForIsNotTriedAgain) {
  terms_.retries = 5;
  auto run = with([&](JobMachine& machine) { return machine.ask("ada", now_); });
  ASSERT_TRUE(run);
  with([&](JobMachine& machine) { machine.begin(*run, {}, {}, "boot"); });
  end(1, "2026-11-20T17:10:00Z");
  EXPECT_FALSE(record_.retry);
  EXPECT_EQ(record_.results.front().run.who, "ada");
}

TEST_F(JobMachineTest, KeepsTheLastResultsAndNamesTheOthers) {
  terms_.schedule = "* * * * *";
  std::vector<std::string> dropped;
  WallTime due = at("2026-11-20T17:01:00Z");
  for (size_t i = 0; i < JobRecord::kMostResults + 2; ++i, due += 1min) {
    start(format_time(due));
    for (std::string& id : end(0, format_time(due + 1s))) dropped.push_back(std::move(id));
  }
  EXPECT_EQ(record_.results.size(), JobRecord::kMostResults);
  EXPECT_EQ(record_.results.front().run.id, "nightly.r22");
  EXPECT_THAT(dropped, ElementsAre("nightly.r1", "nightly.r2"));
}

}  // namespace
}  // namespace freehold::agent
