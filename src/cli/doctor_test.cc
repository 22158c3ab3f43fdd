#include "cli/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace freehold::cli {
namespace {

Facts fine() {
  Facts facts;
  facts.root = true;
  facts.kernel = "6.1.0-18-amd64";
  facts.cgroups_usable = true;
  facts.cgroups = "v2";
  facts.ports_first = 20000;
  facts.ports_last = 29999;
  facts.ephemeral_first = 32768;
  facts.ephemeral_last = 60999;
  facts.state = "/var/lib/freehold/coop";
  facts.state_free = Bytes{50ull << 30};
  facts.memory_folder = "/run/freehold";
  facts.now = std::chrono::sys_days(std::chrono::year(2026) / 6 / 1);
  facts.clock_synchronised = true;
  facts.most_files = 524288;
  facts.group_exists = true;
  return facts;
}

Finding about(const Facts& facts, std::string_view subject) {
  auto findings = judge(facts);
  auto found = std::ranges::find(findings, subject, &Finding::subject);
  return found == findings.end() ? Finding{} : *found;
}

TEST(Doctor, FindsNothingOnAGoodMachine) {
  for (const Finding& finding : judge(fine()))
    EXPECT_EQ(finding.verdict, Verdict::kGood) << finding.subject << ": " << finding.found;
}

TEST(Doctor, EveryLackHasACostAndARemedy) {
  Facts facts;  // of a machine that has nothing
  facts.kernel = "4.19.0";
  facts.listen_ports = {80};
  facts.ports_first = 32000;
  facts.ports_last = 33000;
  facts.ephemeral_first = 32768;
  facts.ephemeral_last = 60999;
  int lacks = 0;
  for (const Finding& finding : judge(facts)) {
    if (finding.verdict == Verdict::kGood) continue;
    ++lacks;
    EXPECT_FALSE(finding.cost.empty()) << finding.subject;
    EXPECT_FALSE(finding.remedy.empty()) << finding.subject;
  }
  EXPECT_EQ(lacks, 9);
}

TEST(Doctor, SeesPortsThatTheKernelMayTakeFirst) {
  Facts facts = fine();
  facts.ports_last = 32768;
  EXPECT_EQ(about(facts, "ports").verdict, Verdict::kLess);
  facts.ports_last = 32767;
  EXPECT_EQ(about(facts, "ports").verdict, Verdict::kGood);
}

TEST(Doctor, KnowsThatOnlyRootListensBelow1024) {
  Facts facts = fine();
  facts.listen_ports = {80, 8080};
  EXPECT_EQ(about(facts, "gateway").verdict, Verdict::kGood);
  facts.root = false;
  EXPECT_EQ(about(facts, "gateway").found, "may not listen on 80");
}

TEST(Doctor, RefusesAStateBelowTmpForRootOnly) {
  Facts facts = fine();
  facts.state = "/tmp/x";
  EXPECT_EQ(about(facts, "state").verdict, Verdict::kBad);
  facts.root = false;
  EXPECT_EQ(about(facts, "state").verdict, Verdict::kGood);
}

}  // namespace
}  // namespace freehold::cli
