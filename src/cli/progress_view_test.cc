#include "cli/progress_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/columns.h"

namespace freehold::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

api::RolloutStatus rollout() {
  api::RolloutStatus status;
  status.kind = "apply";
  status.generation = 4;
  status.who = "ada";
  status.lasted = 3s;
  return status;
}

control::ServiceProgress service(const std::string& name, const std::string& state) {
  control::ServiceProgress progress;
  progress.service = name;
  progress.state = state;
  return progress;
}

TEST(ProgressLines, ShowCountsStatesTimesAndWhatIsAwaited) {
  api::RolloutStatus status = rollout();
  control::ServiceProgress web = service("web", "rolling");
  web.wanted = 2;
  web.ready = 1;
  web.spent = 2300ms;
  web.awaits = "web.5 to be healthy";
  web.reason = "503 from /health";
  control::ServiceProgress old = service("old", "stopping");
  old.leaving = 3;
  control::ServiceProgress mail = service("mailer", "waiting");
  mail.wanted = 1;
  mail.awaits = "web";
  status.services = {web, old, mail};
  EXPECT_THAT(
      progress_lines(status, {100, 24}, false),
      ElementsAre("apply of generation 4, by ada, for 3s",
                  "  web     [#####.....] 1/2     rolling   2s       waits for web.5 to be healthy: 503 from /health",
                  "  old     [..........] 3 left  stopping  0s",
                  "  mailer  [..........] 0/1     waiting            waits for web"));
}

TEST(ProgressLines, GoingBackIsSaidWithItsReason) {
  api::RolloutStatus status = rollout();
  status.going_back = true;
  status.reason = "web.5 ended";
  EXPECT_THAT(progress_lines(status, {80, 24}, false),
              ElementsAre("going back from generation 4, by ada, for 3s: web.5 ended"));
}

TEST(ProgressLines, NoLineIsLongerThanTheWindowAndNothingMovesTheCursor) {
  api::RolloutStatus status = rollout();
  control::ServiceProgress web = service("a-service-with-a-name-that-is-rather-long-for-a-line", "rolling");
  web.wanted = 100;
  web.awaits = "web.5";
  web.reason = "said \033[2J\n日本語 and much more that does not fit into any window at all";
  status.services = {web};
  for (size_t columns : {1u, 2u, 8u, 20u, 43u, 44u, 70u, 80u, 300u}) {
    for (const std::string& line : progress_lines(status, {columns, 24}, true)) {
      EXPECT_LE(columns_of(line), std::max<size_t>(columns, 2) - 1) << columns;
      EXPECT_EQ(line.find('\n'), std::string::npos);
      EXPECT_EQ(line.find("\033[2J"), std::string::npos);
    }
  }
}

TEST(ProgressLines, WhatIsDoneGivesWayWhereNotAllFits) {
  api::RolloutStatus status = rollout();
  for (int i = 0; i < 30; ++i) status.services.push_back(service("done-" + std::to_string(i), "done"));
  status.services.push_back(service("late", "waiting"));
  status.services.push_back(service("web", "rolling"));
  std::vector<std::string> lines = progress_lines(status, {80, 10}, false);
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_THAT(lines[1], HasSubstr("web"));
  EXPECT_THAT(lines[2], HasSubstr("late"));
  EXPECT_EQ(lines.back(), "  ... and 25 more: 25 done");
}

}  // namespace
}  // namespace freehold::cli
