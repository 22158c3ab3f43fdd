#include "agent/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "agent/fake_workloads.h"
#include "agent/record.h"

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;
using model::InstanceState;
using model::Wanted;

class FakeProber : public Prober {
 public:
  void probe(const ProbeRequest& request, Answer answer) override { pending[request.id] = std::move(answer); }
  void cancel(const std::string& id) override { pending.erase(id); }
  void answer(const std::string& id, bool well) {
    ASSERT_TRUE(pending.contains(id)) << id << " is not being probed";
    auto done = std::move(pending[id]);
    pending.erase(id);
    done(well, well ? "" : "503 from /health");
  }
  std::map<std::string, Answer> pending;
};

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    char name[] = "/tmp/freehold-supervisor-XXXXXX";
    folder_ = mkdtemp(name);
    boot();
  }
  ~SupervisorTest() override {
    supervisor_.reset();
    (void)os::system_disk().remove_tree(folder_).ok();
  }

  // A new agent; `boot` differs after a reboot.
  void boot(std::string boot = "first") {
    supervisor_.reset();
    journal_.emplace(*Journal::open(os::system_disk(), clock_, folder_ + "/journal"));
    ports_.emplace(PortRange{20000, 20009}, [this](uint16_t port) { return port != foreign_port_; });
    supervisor_ = std::make_unique<Supervisor>(
        *loop_, os::system_disk(), workloads_, prober_, *ports_, *journal_,
        Supervisor::Options{folder_, "/files", std::move(boot)},
        Supervisor::Hooks{[this] { ++observed_changes_; }, [this] { ++snapshot_changes_; }});
    ASSERT_TRUE(supervisor_->resume().ok());
  }

  model::NodeDesired web(Wanted wanted = Wanted::kRunning) {
    model::NodeDesired desired;
    desired.revision = ++revision_;
    desired.runtimes["f1"].service = "web";
    desired.supervision["web"].health.kind = model::HealthKind::kHttp;
    desired.instances = {{"web.1", "web", "f1", wanted}};
    return desired;
  }

  void run(Duration span = 10ms) {
    for (int i = 0; i < 10; ++i) {
      clock_.advance(span / 10);
      loop_->run_once(0ms);
    }
  }
  InstanceState state(const std::string& id) {
    for (const auto& seen : supervisor_->observed()) {
      if (seen.id == id) return seen.state;
    }
    return InstanceState::kStopped;
  }
  void make_healthy(const std::string& id) {
    run(100ms);
    prober_.answer(id, true);
    run();
    ASSERT_EQ(state(id), InstanceState::kHealthy);
  }
  void acknowledge(uint64_t in_flight = 0) {
    model::GatewayStatus status;
    status.revision = supervisor_->snapshot().revision;
    if (in_flight != 0) status.in_flight["web.1"] = in_flight;
    supervisor_->gateway_acknowledged(status);
    run();
  }

  os::FakeClock clock_;
  std::unique_ptr<runtime::Loop> loop_ = *runtime::Loop::create(runtime::Backend::kEpoll, clock_);
  std::string folder_;
  FakeWorkloads workloads_;
  FakeProber prober_;
  std::optional<Journal> journal_;
  std::optional<PortPool> ports_;
  std::unique_ptr<Supervisor> supervisor_;
  uint64_t revision_ = 0;
  uint16_t foreign_port_ = 0;
  int observed_changes_ = 0;
  int snapshot_changes_ = 0;
};

TEST_F(SupervisorTest, StartsWhatIsWantedAndServesItOnceItIsHealthy) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  EXPECT_EQ(workloads_.log, (std::vector<std::string>{"start web.1"}));
  EXPECT_TRUE(supervisor_->snapshot().endpoints.empty());
  make_healthy("web.1");
  ASSERT_EQ(supervisor_->snapshot().endpoints.at("web").size(), 1u);
  EXPECT_FALSE(supervisor_->observed()[0].serving) << "the gateway has not said so";
  acknowledge();
  EXPECT_TRUE(supervisor_->observed()[0].serving);
}

TEST_F(SupervisorTest, TellsTheGatewayNothingWhenNothingChanged) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  uint64_t revision = supervisor_->snapshot().revision;
  int told = snapshot_changes_;
  run(16s);
  prober_.answer("web.1", true);
  run();
  ASSERT_TRUE(supervisor_->apply(web()).ok()) << "the same again";
  run();
  EXPECT_EQ(supervisor_->snapshot().revision, revision);
  EXPECT_EQ(snapshot_changes_, told);
}

TEST_F(SupervisorTest, StopsOnlyAfterTheGatewayHasLetGo) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  acknowledge();
  ASSERT_TRUE(supervisor_->apply(web(Wanted::kStopped)).ok());
  EXPECT_FALSE(supervisor_->snapshot().endpoints.at("web")[0].accepting);
  run(1s);
  EXPECT_EQ(workloads_.log.back(), "start web.1") << "not acknowledged yet";
  acknowledge(2);
  EXPECT_EQ(workloads_.log.back(), "start web.1") << "two requests are in flight";
  acknowledge(0);
  EXPECT_EQ(workloads_.log, (std::vector<std::string>{"start web.1", "signal web.1", "forget web.1"}));
  EXPECT_TRUE(supervisor_->empty());
}

TEST_F(SupervisorTest, StopsAfterTheDrainTimeWhenRequestsDoNotEnd) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  acknowledge();
  ASSERT_TRUE(supervisor_->apply(web(Wanted::kStopped)).ok());
  acknowledge(1);
  run(29s);
  EXPECT_EQ(workloads_.log.back(), "start web.1");
  run(2s);
  EXPECT_EQ(workloads_.log.back(), "forget web.1");
}

TEST_F(SupervisorTest, KillsWhatDoesNotListen) {
  workloads_.deaf = true;
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  ASSERT_TRUE(supervisor_->apply(web(Wanted::kStopped)).ok());
  EXPECT_EQ(workloads_.log.back(), "signal web.1") << "the gateway never knew it";
  run(9s);
  EXPECT_EQ(workloads_.log.back(), "signal web.1");
  run(2s);
  run();
  EXPECT_EQ(workloads_.log.back(), "forget web.1");
  EXPECT_EQ(workloads_.log[workloads_.log.size() - 2], "kill web.1");
}

TEST_F(SupervisorTest, RestartsWhatEnds) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  workloads_.end("web.1", {.code = 1});
  run();
  EXPECT_EQ(state("web.1"), InstanceState::kWaiting);
  EXPECT_TRUE(supervisor_->snapshot().endpoints.empty());
  run(2s);
  EXPECT_EQ(workloads_.log, (std::vector<std::string>{"start web.1", "start web.1"}));
  EXPECT_EQ(supervisor_->observed()[0].restarts, 1u);
}

TEST_F(SupervisorTest, TriesAnotherPortWhenItsOwnWasTaken) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  uint16_t first = supervisor_->observed()[0].port;
  foreign_port_ = first;
  workloads_.end("web.1", {.code = 1});
  run();
  EXPECT_EQ(state("web.1"), InstanceState::kStarting) << "at once, it is no crash";
  EXPECT_NE(supervisor_->observed()[0].port, first);
}

TEST_F(SupervisorTest, APortWhoseThiefAnswersTheProbeIsNoCrashEither) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  foreign_port_ = supervisor_->observed()[0].port;
  workloads_.end("web.1", {.code = 1});
  run();
  EXPECT_EQ(state("web.1"), InstanceState::kStarting) << "at once, on another port";
  EXPECT_NE(supervisor_->observed()[0].port, foreign_port_);
}

TEST_F(SupervisorTest, AStrangersAnswerMakesNobodyHealthy) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  foreign_port_ = workloads_.foreign_port = supervisor_->observed()[0].port;
  run(100ms);
  int told = observed_changes_;
  prober_.answer("web.1", true);
  run();
  EXPECT_GT(observed_changes_, told) << "control is told of the other port";
  EXPECT_THAT(workloads_.log, testing::Contains("kill web.1"));
  EXPECT_TRUE(supervisor_->snapshot().endpoints.empty());
  EXPECT_EQ(state("web.1"), InstanceState::kStarting) << "at once, on another port";
  EXPECT_NE(supervisor_->observed()[0].port, foreign_port_);
  make_healthy("web.1");
  EXPECT_EQ(supervisor_->snapshot().endpoints.at("web").size(), 1u);
}

TEST_F(SupervisorTest, PortsThatAreTakenOneAfterAnotherCountInTheEnd) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  for (int lost = 0; lost < 10; ++lost) {
    ASSERT_EQ(state("web.1"), InstanceState::kStarting) << lost;
    foreign_port_ = supervisor_->observed()[0].port;
    workloads_.end("web.1", {.code = 1});
    run();
  }
  EXPECT_EQ(state("web.1"), InstanceState::kWaiting);
  run(2s);
  EXPECT_EQ(state("web.1"), InstanceState::kStarting) << "each port that was lost is back in the pool";
  EXPECT_NE(supervisor_->observed()[0].port, foreign_port_);
}

TEST_F(SupervisorTest, APortThatIsTakenWhileItsInstanceIsDownIsNotTried) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  workloads_.end("web.1", {.code = 1});
  run();
  ASSERT_EQ(state("web.1"), InstanceState::kWaiting);
  foreign_port_ = supervisor_->observed()[0].port;
  run(2s);
  EXPECT_EQ(state("web.1"), InstanceState::kStarting);
  EXPECT_NE(supervisor_->observed()[0].port, foreign_port_);
}

TEST_F(SupervisorTest, AProgramThatCannotStartIsTriedAgainLater) {
  workloads_.refuse = true;
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  EXPECT_EQ(state("web.1"), InstanceState::kWaiting);
  EXPECT_NE(supervisor_->observed()[0].reason.find("No such file"), std::string::npos);
  workloads_.refuse = false;
  run(2s);
  EXPECT_EQ(state("web.1"), InstanceState::kStarting);
}

TEST_F(SupervisorTest, TheNextAgentTakesOverWithoutTouchingWhatServes) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  uint16_t port = supervisor_->observed()[0].port;
  workloads_.log.clear();
  boot();
  EXPECT_TRUE(workloads_.log.empty());
  EXPECT_EQ(state("web.1"), InstanceState::kHealthy);
  ASSERT_EQ(supervisor_->snapshot().endpoints.at("web").size(), 1u);
  EXPECT_EQ(supervisor_->snapshot().endpoints.at("web")[0].port, port);
  EXPECT_TRUE(supervisor_->snapshot().endpoints.at("web")[0].accepting);
}

TEST_F(SupervisorTest, TheNextAgentLearnsHowAnInstanceEndedMeanwhile) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  make_healthy("web.1");
  supervisor_.reset();
  workloads_.processes["web.1"].alive = false;
  workloads_.processes["web.1"].exit.code = 7;
  boot();
  EXPECT_EQ(supervisor_->observed()[0].last_exit->code, 7);
  run(2s);
  EXPECT_EQ(state("web.1"), InstanceState::kStarting);
}

TEST_F(SupervisorTest, AfterARebootEverythingStartsAnewInOrder) {
  model::NodeDesired desired = web();
  desired.runtimes["f2"].service = "api";
  desired.supervision["api"].needs = {"web"};
  desired.instances.push_back({"api.1", "api", "f2", Wanted::kRunning});
  ASSERT_TRUE(supervisor_->apply(desired).ok());
  make_healthy("web.1");
  run(1s);
  workloads_.log.clear();
  workloads_.processes.clear();
  boot("second");
  EXPECT_EQ(workloads_.log, (std::vector<std::string>{"start web.1"})) << "api waits for web";
  make_healthy("web.1");
  EXPECT_EQ(workloads_.log.back(), "start api.1");
}

TEST_F(SupervisorTest, TellsWhatKeepsAnInstanceFromBeingHealthy) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  run(100ms);
  int before = observed_changes_;
  prober_.answer("web.1", false);
  EXPECT_GT(observed_changes_, before) << "its state did not change, but why did";
  EXPECT_EQ(supervisor_->observed()[0].reason, "503 from /health");
  before = observed_changes_;
  run(100ms);
  prober_.answer("web.1", false);
  EXPECT_EQ(observed_changes_, before) << "the same reason again is no news";
}

TEST_F(SupervisorTest, AnOrphanWithoutARecordIsSwept) {
  workloads_.processes["ghost.1"].ended = eventfd(0, EFD_CLOEXEC);
  boot();
  EXPECT_EQ(workloads_.log, (std::vector<std::string>{"kill ghost.1", "forget ghost.1"}));
}

TEST_F(SupervisorTest, ACommandThatRunsOnceIsReportedAndThenForgotten) {
  ASSERT_TRUE(supervisor_->apply(web(Wanted::kOnce)).ok());
  workloads_.end("web.1", {.code = 3});
  run();
  ASSERT_EQ(supervisor_->observed().size(), 1u);
  EXPECT_EQ(supervisor_->observed()[0].state, InstanceState::kStopped);
  EXPECT_EQ(supervisor_->observed()[0].last_exit->code, 3);
  model::NodeDesired desired = web();
  desired.instances.clear();
  ASSERT_TRUE(supervisor_->apply(desired).ok());
  EXPECT_TRUE(supervisor_->empty());
}

TEST_F(SupervisorTest, AnOlderDesiredStateIsIgnored) {
  ASSERT_TRUE(supervisor_->apply(web()).ok());
  model::NodeDesired old = web();
  old.revision = 0;
  old.instances.clear();
  ASSERT_TRUE(supervisor_->apply(old).ok());
  EXPECT_FALSE(supervisor_->empty());
}

}  // namespace
}  // namespace freehold::agent
