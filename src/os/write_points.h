// For tests of what claims to be durable: a scenario is run once for each change that it makes to its disk, with the
// power cut there, or the disk full from there on.
//
//   class Appending {                           // what is tested, on a disk of its own
//    public:
//     explicit Appending(os::FaultDisk& disk);  // prepares; these changes are not cut
//     Result<void> open();                      // recovers what the disk has
//     void work();                              // does things; notes what was acknowledged, and what refused
//     void close();                             // the process is gone
//     void check();                             // all that was acknowledged is there, nothing by halves
//     const std::vector<Error>& refusals();
//   };
//   os::cut_power_everywhere<Appending>(4);
//   os::kill_everywhere<Appending>();
//   os::fill_disk_everywhere<Appending>();
//
// work() is called more than once, and must do something new each time.
#pragma once

#include <gtest/gtest.h>

#include "os/fault_disk.h"

namespace freehold::os {

template <class Scenario>
void expect_work_goes_on(FaultDisk& disk, Scenario& scenario) {
  size_t refused = scenario.refusals().size();
  scenario.work();
  ASSERT_EQ(scenario.refusals().size(), refused) << scenario.refusals().back().message();
  scenario.check();
  disk.crash_at(disk.changes() + 1);
  scenario.close();
  disk.power_cut(nullptr);
  Result<void> opened = scenario.open();
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  scenario.check();
  scenario.close();
}

// What was not synced is lost, and in further runs up to `survivals` a part of it that a seed draws. Recovery is cut,
// too.
template <class Scenario>
void cut_power_everywhere(uint64_t survivals) {
  uint64_t points = 0;
  for (uint64_t seed = 0; seed <= survivals; ++seed) {
    bool reached = true;
    for (uint64_t change = 1; reached; ++change) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", power cut at change " << change);
      SeededRandom random(seed * 1'000'003 + change);
      FaultDisk disk;
      Scenario scenario(disk);
      disk.crash_at(disk.changes() + change);
      if (scenario.open()) scenario.work();
      reached = disk.crashed();
      scenario.close();
      disk.power_cut(seed == 0 ? nullptr : &random);
      disk.crash_at(disk.changes() + 1 + random.below(12));
      (void)scenario.open().ok();
      scenario.close();
      disk.power_cut(seed == 0 ? nullptr : &random);
      Result<void> opened = scenario.open();
      ASSERT_TRUE(opened.ok()) << "does not open again: " << opened.error().message();
      scenario.check();
      if (testing::Test::HasFatalFailure()) return;
      expect_work_goes_on(disk, scenario);
      if (testing::Test::HasFailure()) return;
      ++points;
    }
  }
  testing::Test::RecordProperty("power_cuts", std::to_string(points));
}

// A process that was killed leaves what looks durable and is not: what the next one acknowledges must not stand on it.
template <class Scenario>
void kill_everywhere() {
  bool reached = true;
  for (uint64_t change = 1; reached; ++change) {
    SCOPED_TRACE(testing::Message() << "killed at change " << change);
    FaultDisk disk;
    Scenario scenario(disk);
    disk.crash_at(disk.changes() + change);
    if (scenario.open()) scenario.work();
    reached = disk.crashed();
    scenario.close();
    disk.start_again();
    Result<void> opened = scenario.open();
    ASSERT_TRUE(opened.ok()) << "does not open again: " << opened.error().message();
    scenario.check();
    if (testing::Test::HasFatalFailure()) return;
    expect_work_goes_on(disk, scenario);
    if (testing::Test::HasFailure()) return;
  }
}

// No room from each change on: what is refused is refused as kExhausted, and the same life goes on when there is room.
template <class Scenario>
void fill_disk_everywhere() {
  bool reached = true;
  for (uint64_t change = 1; reached; ++change) {
    SCOPED_TRACE(testing::Message() << "disk full at change " << change);
    FaultDisk disk;
    Scenario scenario(disk);
    disk.fill_at(disk.changes() + change);
    Result<void> opened = scenario.open();
    if (opened) {
      scenario.work();
      scenario.check();
    } else {
      ASSERT_EQ(opened.error().code(), ErrorCode::kExhausted) << opened.error().message();
    }
    for (const Error& error : scenario.refusals()) {
      ASSERT_EQ(error.code(), ErrorCode::kExhausted) << error.message();
    }
    reached = disk.filled();
    disk.make_room();
    if (!opened) {
      Result<void> again = scenario.open();
      ASSERT_TRUE(again.ok()) << "does not open when there is room: " << again.error().message();
    }
    expect_work_goes_on(disk, scenario);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace freehold::os
