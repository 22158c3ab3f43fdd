#include "agent/instance_machine.h"

#include <gtest/gtest.h>

namespace freehold::agent {
namespace {

using namespace std::chrono_literals;
using Action = InstanceMachine::Action;
using model::InstanceState;
using model::Wanted;

const MonotonicTime kStart = MonotonicTime(1h);

model::Supervision probed_over_http() {
  model::Supervision supervision;
  supervision.health.kind = model::HealthKind::kHttp;
  supervision.health.healthy_after = 2;
  return supervision;
}

InstanceMachine running(model::Supervision supervision = {}) {
  InstanceMachine machine(Wanted::kRunning, std::move(supervision), kStart);
  EXPECT_EQ(machine.next({}, kStart), Action::kStart);
  machine.started(kStart);
  return machine;
}

TEST(InstanceMachine, WaitsForWhatItNeeds) {
  InstanceMachine machine(Wanted::kRunning, {}, kStart);
  EXPECT_EQ(machine.next({.needs_ready = false}, kStart), Action::kNone);
  EXPECT_EQ(machine.state(), InstanceState::kWaiting);
  EXPECT_EQ(machine.next({.needs_ready = true}, kStart), Action::kStart);
  EXPECT_EQ(machine.next({.needs_ready = true}, kStart), Action::kNone) << "once";
}

TEST(InstanceMachine, IsHealthyAfterTheProbesAskedFor) {
  InstanceMachine machine = running(probed_over_http());
  machine.probed(true, "", kStart + 1s);
  EXPECT_EQ(machine.state(), InstanceState::kStarting);
  machine.probed(true, "", kStart + 2s);
  EXPECT_EQ(machine.state(), InstanceState::kHealthy);
  EXPECT_TRUE(machine.accepting());
}

TEST(InstanceMachine, WithoutAProbeIsHealthyOnceItLivesForAMoment) {
  InstanceMachine machine = running();
  EXPECT_EQ(machine.next({}, kStart + 100ms), Action::kNone);
  EXPECT_EQ(machine.state(), InstanceState::kStarting);
  EXPECT_EQ(machine.next({}, *machine.wake(kStart)), Action::kNone);
  EXPECT_EQ(machine.state(), InstanceState::kHealthy);
  EXPECT_FALSE(machine.wake(kStart + 1h).has_value()) << "nothing wakes an idle machine";
}

TEST(InstanceMachine, FailuresWhileItStartsDoNotCount) {
  InstanceMachine machine = running(probed_over_http());
  for (int i = 0; i < 20; ++i) machine.probed(false, "refused", kStart + 1s);
  EXPECT_EQ(machine.state(), InstanceState::kStarting);
  for (int i = 0; i < 3; ++i) machine.probed(false, "refused", kStart + 61s);
  EXPECT_EQ(machine.state(), InstanceState::kUnhealthy);
  EXPECT_EQ(machine.reason(), "refused");
}

TEST(InstanceMachine, LeavesTheBalanceWhenUnhealthyAndComesBack) {
  InstanceMachine machine = running(probed_over_http());
  machine.probed(true, "", kStart);
  machine.probed(true, "", kStart);
  for (int i = 0; i < 3; ++i) machine.probed(false, "503", kStart + 100s);
  EXPECT_FALSE(machine.accepting());
  machine.probed(true, "", kStart + 101s);
  machine.probed(true, "", kStart + 102s);
  EXPECT_TRUE(machine.accepting());
}

TEST(InstanceMachine, ProbesOneAtATime) {
  InstanceMachine machine = running(probed_over_http());
  MonotonicTime now = *machine.wake(kStart);
  ASSERT_TRUE(machine.probe_due(now));
  machine.probe_begun();
  EXPECT_FALSE(machine.probe_due(now + 10s)) << "a slow answer is waited for, not overtaken";
  EXPECT_FALSE(machine.wake(now).has_value());
  machine.probed(false, "slow", now + 1s);
  EXPECT_FALSE(machine.probe_due(now + 1s));
  EXPECT_TRUE(machine.probe_due(*machine.wake(now + 1s)));
}

TEST(InstanceMachine, RestartsWhatStaysUnhealthy) {
  InstanceMachine machine = running(probed_over_http());
  for (int i = 0; i < 3; ++i) machine.probed(false, "503", kStart + 100s);
  EXPECT_EQ(machine.next({}, kStart + 159s), Action::kNone);
  EXPECT_EQ(machine.next({}, kStart + 160s), Action::kSignal);
  machine.ended({}, true, kStart + 161s);
  EXPECT_EQ(machine.next({}, kStart + 161s), Action::kStart) << "without back-off: we stopped it ourselves";
}

TEST(InstanceMachine, BacksOffLongerWithEachEndUpToTheMost) {
  InstanceMachine machine = running();
  MonotonicTime now = kStart;
  std::vector<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    machine.ended({.code = 1}, true, now);
    waits.push_back(*machine.wake(now) - now);
    now = *machine.wake(now);
    ASSERT_EQ(machine.next({}, now - 1ns), Action::kNone);
    ASSERT_EQ(machine.next({}, now), Action::kStart);
    machine.started(now);
  }
  EXPECT_EQ(waits, (std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}));
  EXPECT_EQ(machine.state(), InstanceState::kCrashLooping);
}

TEST(InstanceMachine, ForgetsOldEndsSoThatARareCrashIsNoLoop) {
  InstanceMachine machine = running();
  MonotonicTime now = kStart;
  for (int i = 0; i < 10; ++i) {
    now += 11min;
    machine.ended({.code = 1}, true, now);
    EXPECT_EQ(machine.state(), InstanceState::kWaiting);
    now = *machine.wake(now);
    machine.next({}, now);
    machine.started(now);
  }
}

TEST(InstanceMachine, ATakenPortIsNoCrash) {
  InstanceMachine machine = running();
  for (int i = 0; i < 10; ++i) {
    machine.ended({.code = 1}, false, kStart);
    ASSERT_EQ(machine.next({}, kStart), Action::kStart);
    machine.started(kStart);
  }
  EXPECT_EQ(machine.state(), InstanceState::kStarting);
}

TEST(InstanceMachine, DrainsThenSignalsThenKillsThenIsForgotten) {
  InstanceMachine machine = running();
  machine.next({}, kStart + 1s);
  machine.want(Wanted::kStopped, kStart + 2s);
  EXPECT_EQ(machine.state(), InstanceState::kDraining);
  EXPECT_FALSE(machine.accepting());
  EXPECT_EQ(machine.next({.drained = false}, kStart + 3s), Action::kNone);
  EXPECT_EQ(machine.next({.drained = true}, kStart + 3s), Action::kSignal);
  EXPECT_EQ(machine.next({}, kStart + 12s), Action::kNone);
  EXPECT_EQ(machine.next({}, kStart + 13s), Action::kKill);
  machine.ended({.signal = 9}, true, kStart + 13s);
  EXPECT_EQ(machine.state(), InstanceState::kStopped);
  EXPECT_EQ(machine.next({}, kStart + 13s), Action::kForget);
}

TEST(InstanceMachine, DrainingEndsWithItsTime) {
  InstanceMachine machine = running();
  machine.next({}, kStart + 1s);
  machine.want(Wanted::kStopped, kStart + 2s);
  EXPECT_EQ(machine.next({.drained = false}, kStart + 32s), Action::kSignal);
}

TEST(InstanceMachine, StoppedWhileItStartsIsStillStopped) {
  InstanceMachine machine(Wanted::kRunning, {}, kStart);
  ASSERT_EQ(machine.next({}, kStart), Action::kStart);
  machine.want(Wanted::kStopped, kStart);
  EXPECT_EQ(machine.next({}, kStart), Action::kNone) << "the launch is under way";
  machine.started(kStart);
  EXPECT_EQ(machine.next({}, kStart), Action::kSignal);
}

TEST(InstanceMachine, ACommandThatRunsOnceIsNotRestarted) {
  InstanceMachine machine(Wanted::kOnce, {}, kStart);
  ASSERT_EQ(machine.next({}, kStart), Action::kStart);
  machine.started(kStart);
  machine.ended({.code = 3}, true, kStart + 1s);
  EXPECT_EQ(machine.state(), InstanceState::kStopped);
  EXPECT_EQ(machine.last_exit()->code, 3);
  EXPECT_EQ(machine.next({}, kStart + 1h), Action::kNone) << "kept until control has seen how it ended";
  machine.want(Wanted::kStopped, kStart + 1h);
  EXPECT_EQ(machine.next({}, kStart + 1h), Action::kForget);
}

TEST(InstanceMachine, AnAdoptedHealthyInstanceStaysInTheBalance) {
  InstanceMachine machine(Wanted::kRunning, probed_over_http(), kStart);
  machine.adopted(true, kStart);
  EXPECT_TRUE(machine.accepting());
  machine.probed(false, "blip", kStart + 1s);
  EXPECT_TRUE(machine.accepting()) << "one failure is not unhealthy_after";
}

TEST(InstanceMachine, IdleRunsWithoutNewRequests) {
  InstanceMachine machine = running();
  machine.next({}, kStart + 1s);
  machine.want(Wanted::kIdle, kStart + 2s);
  EXPECT_EQ(machine.state(), InstanceState::kHealthy);
  EXPECT_FALSE(machine.accepting());
  machine.want(Wanted::kRunning, kStart + 3s);
  EXPECT_TRUE(machine.accepting());
}

TEST(Describe, SaysHowItEnded) {
  EXPECT_EQ(describe({.code = 1}), "ended with exit code 1");
  EXPECT_EQ(describe({.signal = 9, .out_of_memory = true}), "killed because it went over its memory limit");
  EXPECT_EQ(describe({.failure = "exec: No such file"}), "could not start: exec: No such file");
}

}  // namespace
}  // namespace freehold::agent
