#include "agent/jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "agent/fake_workloads.h"

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JobsTest : public testing::Test {
 protected:
  JobsTest() {
    char name[] = "/tmp/freehold-jobs-XXXXXX";
    folder_ = mkdtemp(name);
    for (const char* part : {"/jobs", "/logs/nightly"})
      EXPECT_TRUE(os::system_disk().make_directories(folder_ + part, 0700).ok());
    clock_.jump_wall(*parse_time("2026-11-20T17:00:00Z") - clock_.wall());
    boot();
    want();
  }
  ~JobsTest() override {
    jobs_.reset();
    (void)os::system_disk().remove_tree(folder_).ok();
  }

  // A new agent; `boot` differs after a restart of the machine.
  void boot(std::string boot = "first") {
    jobs_.reset();
    journal_.emplace(*Journal::open(os::system_disk(), clock_, folder_ + "/journal"));
    jobs_ = std::make_unique<Jobs>(
        *loop_, *disk_, workloads_, *journal_, Jobs::Options{folder_ + "/jobs", folder_ + "/logs", std::move(boot)},
        Jobs::Hooks{[] {}, [this](const std::string& service) { return healthy_.contains(service); },
                    [this](const model::JobResult& result) { ended_.push_back(result.run.id + " " + result.text); }});
    ASSERT_TRUE(jobs_->open().ok());
    for (Survivor& survivor : workloads_.survivors()) EXPECT_TRUE(jobs_->claim(survivor));
    jobs_->apply(desired_);
  }
  void want(const model::Job& terms = {.schedule = "daily 02:00"}, std::vector<std::string> needs = {}) {
    desired_.jobs["nightly"] = {"f1", terms, {.signal = 15, .grace = 10s}, std::move(needs)};
    desired_.runtimes["f1"] = {.service = "nightly", .fingerprint = "f1", .run = {"./bin/nightly"}};
    jobs_->apply(desired_);
  }
  // Until it is that time, in steps that let timers fire as they would.
  void pass(Duration time) {
    for (Duration step = 10s; time > Duration::zero(); time -= step) {
      clock_.advance(std::min(step, time));
      turn();
    }
  }
  void turn() {
    for (int i = 0; i < 3; ++i) loop_->run_once(Duration::zero());
  }
  void pass_until(std::string_view when) { pass(*parse_time(when) - clock_.wall()); }
  model::ObservedJob nightly() {
    for (const model::ObservedJob& job : jobs_->observed()) {
      if (job.name == "nightly") return job;
    }
    return {};
  }
  std::vector<std::string> log() { return std::exchange(workloads_.log, {}); }
  size_t events(std::string_view kind) {
    return static_cast<size_t>(std::ranges::count(journal_->pending(), kind, &model::NodeEvent::kind));
  }

  os::FakeClock clock_;
  std::unique_ptr<runtime::Loop> loop_ = *runtime::Loop::create(runtime::Backend::kEpoll, clock_);
  os::Disk* disk_ = &os::system_disk();
  FakeWorkloads workloads_;
  std::string folder_;
  std::optional<Journal> journal_;
  std::set<std::string> healthy_;
  std::vector<std::string> ended_;
  model::NodeDesired desired_;
  std::unique_ptr<Jobs> jobs_;
};

TEST_F(JobsTest, StartsWhatIsDueAndKeepsHowItWent) {
  EXPECT_EQ(nightly().next_shown, "Sat 2026-11-21 02:00");
  pass_until("2026-11-21T01:59:59Z");
  EXPECT_THAT(log(), IsEmpty());
  pass_until("2026-11-21T02:00:00Z");
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
  ASSERT_TRUE(nightly().run);
  pass(30s);
  workloads_.end("nightly.r1", {.code = 3});
  turn();
  EXPECT_THAT(log(), ElementsAre("forget nightly.r1"));
  EXPECT_THAT(ended_, ElementsAre("nightly.r1 ended with exit code 3"));
  model::ObservedJob job = nightly();
  EXPECT_FALSE(job.run);
  ASSERT_EQ(job.results.size(), 1u);
  EXPECT_EQ(job.results[0].ended - job.results[0].run.started, 30s);
  EXPECT_EQ(job.next_shown, "Sun 2026-11-22 02:00");
  EXPECT_TRUE(jobs_->empty());
}

TEST_F(JobsTest, TheTimesAreThoseOfTheOrganisationsClocks) {
  if (!os::system_disk().exists("/usr/share/zoneinfo/Europe/Berlin")) GTEST_SKIP() << "needs tzdata";
  desired_.timezone = "Europe/Berlin";
  want();
  pass_until("2026-11-21T01:00:00Z");
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
}

TEST_F(JobsTest, AZoneThatCannotBeReadIsSaidAndStartsNothing) {
  for (const char* zone : {"No/Such", "../../../etc/passwd"}) {
    desired_.timezone = zone;
    want();
    EXPECT_THAT(nightly().problem, HasSubstr("is tzdata installed?"));
  }
  pass_until("2026-11-21T03:00:00Z");
  EXPECT_THAT(log(), IsEmpty());
  EXPECT_TRUE(jobs_->run("nightly", "ada")) << "by hand it goes";
}

TEST_F(JobsTest, ARunOutlivesTheAgentAndIsRecordedOnce) {
  pass_until("2026-11-21T02:00:00Z");
  boot();
  ASSERT_TRUE(nightly().run);
  EXPECT_EQ(events("job.adopted"), 1u);
  workloads_.end("nightly.r1", {});
  turn();
  EXPECT_EQ(nightly().results.size(), 1u);
  boot();
  EXPECT_EQ(nightly().results.size(), 1u);
  pass_until("2026-11-21T04:00:00Z");
  EXPECT_THAT(log(), ElementsAre("start nightly.r1", "forget nightly.r1")) << "one run for one due time";
}

TEST_F(JobsTest, ARunThatEndedWhileNoAgentWasThereIsRecordedOnce) {
  pass_until("2026-11-21T02:00:00Z");
  jobs_.reset();
  workloads_.end("nightly.r1", {.code = 7});
  boot();
  ASSERT_EQ(nightly().results.size(), 1u);
  EXPECT_EQ(nightly().results[0].code, 7);
  EXPECT_EQ(events("job.failed"), 1u);
  boot();
  EXPECT_EQ(nightly().results.size(), 1u);
}

TEST_F(JobsTest, ARunThatWasWrittenDownAndNotBegunIsBegun) {
  pass_until("2026-11-21T02:00:00Z");
  jobs_.reset();
  workloads_.processes.clear();  // killed between the two: there is no trace of a start
  boot();
  EXPECT_THAT(log(), ElementsAre("start nightly.r1", "start nightly.r1"));
}

TEST_F(JobsTest, ARestartOfTheMachineCutsARunOff) {
  want({.schedule = "daily 02:00", .retries = 1, .retry_wait = 1min});
  pass_until("2026-11-21T02:00:00Z");
  jobs_.reset();
  workloads_.processes.clear();
  boot("second");
  ASSERT_EQ(nightly().results.size(), 1u);
  EXPECT_THAT(nightly().results[0].text, HasSubstr("the machine was restarted"));
  log();
  pass(1min);
  EXPECT_THAT(log(), ElementsAre("start nightly.r2"));
}

TEST_F(JobsTest, MissedWhileTheMachineWasOff) {
  want({.schedule = "daily 02:00", .missed = model::Missed::kRun});
  jobs_.reset();
  clock_.advance(3 * 24h);
  boot("second");
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
  EXPECT_EQ(events("job.missed"), 1u);
}

TEST_F(JobsTest, ADeployDoesNotInterruptARunAndTheNextTakesIt) {
  pass_until("2026-11-21T02:00:00Z");
  desired_.runtimes.clear();
  desired_.runtimes["f2"] = {.service = "nightly", .fingerprint = "f2", .release = "new"};
  desired_.jobs["nightly"].fingerprint = "f2";
  jobs_->apply(desired_);
  turn();
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
  EXPECT_EQ(jobs_->find("nightly")->runtime->fingerprint, "f1");
  workloads_.end("nightly.r1", {});
  pass_until("2026-11-22T02:00:00Z");
  EXPECT_EQ(jobs_->find("nightly.r2")->runtime->fingerprint, "f2");
  std::set<std::string> releases;
  jobs_->add_releases(releases);
  EXPECT_THAT(releases, ElementsAre("new"));
}

TEST_F(JobsTest, AJobThatIsNotWantedAnyMoreIsStopped) {
  workloads_.deaf = true;
  pass_until("2026-11-21T02:00:00Z");
  desired_.jobs.clear();
  jobs_->apply(desired_);
  EXPECT_THAT(log(), ElementsAre("start nightly.r1", "signal nightly.r1"));
  EXPECT_FALSE(jobs_->empty());
  pass(10s);
  turn();
  EXPECT_THAT(log(), ElementsAre("kill nightly.r1", "forget nightly.r1"));
  EXPECT_TRUE(jobs_->empty());
  EXPECT_EQ(events("job.cancelled"), 1u);
  pass_until("2026-11-23T02:00:00Z");
  want();
  EXPECT_EQ(events("job.missed"), 0u) << "nobody wanted it";
  EXPECT_EQ(nightly().results.size(), 1u) << "what is known of it is kept";
}

TEST_F(JobsTest, WaitsForWhatItNeeds) {
  want({.schedule = "daily 02:00"}, {"database"});
  pass_until("2026-11-21T02:00:00Z");
  EXPECT_THAT(log(), IsEmpty());
  EXPECT_EQ(nightly().waits, "waits for database, which it needs");
  healthy_.insert("database");
  jobs_->services_changed();
  turn();
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
}

TEST_F(JobsTest, StartedByHand) {
  auto run = jobs_->run("nightly", "ada");
  ASSERT_TRUE(run);
  EXPECT_EQ(*run, "nightly.r1");
  turn();
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
  EXPECT_EQ(jobs_->run("nightly", "ada").error().code(), ErrorCode::kConflict);
  EXPECT_EQ(jobs_->run("web", "ada").error().code(), ErrorCode::kNotFound);
}

TEST_F(JobsTest, AProgramThatCannotBeStartedIsAFailure) {
  workloads_.refuse = true;
  pass_until("2026-11-21T02:00:00Z");
  ASSERT_EQ(nightly().results.size(), 1u);
  EXPECT_THAT(nightly().results[0].text, HasSubstr("No such file or directory"));
}

TEST_F(JobsTest, NothingIsStartedThatTheDiskDoesNotKnow) {
  ASSERT_TRUE(os::system_disk().remove_tree(folder_ + "/jobs").ok());  // nothing can be written there now
  pass_until("2026-11-21T02:00:10Z");
  EXPECT_THAT(log(), IsEmpty());
  EXPECT_THAT(nightly().problem, HasSubstr("No such file"));
  EXPECT_FALSE(jobs_->run("nightly", "ada"));
  ASSERT_TRUE(os::system_disk().make_directories(folder_ + "/jobs", 0700).ok());
  pass(2s);
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
}

TEST_F(JobsTest, AResultIsKeptUntilTheDiskTakesIt) {
  pass_until("2026-11-21T02:00:00Z");
  ASSERT_TRUE(os::system_disk().rename(folder_ + "/jobs", folder_ + "/away").ok());
  workloads_.end("nightly.r1", {.code = 5});
  turn();
  EXPECT_THAT(log(), ElementsAre("start nightly.r1")) << "its folder says how it ended, and stays";
  EXPECT_EQ(events("job.failed"), 0u);
  ASSERT_TRUE(os::system_disk().rename(folder_ + "/away", folder_ + "/jobs").ok());
  pass(2s);
  EXPECT_THAT(log(), ElementsAre("forget nightly.r1"));
  EXPECT_EQ(events("job.failed"), 1u);
}

TEST_F(JobsTest, ADamagedRecordIsNoReasonNotToBegin) {
  jobs_.reset();
  ASSERT_TRUE(os::system_disk().write_durably(folder_ + "/jobs/nightly.json", "{", 0600).ok());
  boot();
  pass_until("2026-11-21T02:00:00Z");
  EXPECT_THAT(log(), ElementsAre("start nightly.r1"));
}

TEST_F(JobsTest, LogsOfRunsThatAreNotKeptGo) {
  for (const char* name : {"nightly.r1.log", "nightly.r1.log.1", "nightly.r10.log", "nightly.r2.log"})
    ASSERT_TRUE(os::system_disk().write_durably(folder_ + "/logs/nightly/" + name, "", 0600).ok());
  for (size_t i = 1; i <= JobRecord::kMostResults + 1; ++i) {
    auto run = jobs_->run("nightly", "ada");
    ASSERT_TRUE(run);
    turn();
    workloads_.end(*run, {});
    turn();
  }
  auto left = *os::system_disk().list(folder_ + "/logs/nightly");
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].name, "nightly.r10.log");
}

}  // namespace
}  // namespace freehold::agent
