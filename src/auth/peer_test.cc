#include "auth/peer.h"

#include <gtest/gtest.h>

namespace freehold::auth {
namespace {

constexpr uid_t kUnknown = static_cast<uid_t>(-1);
constexpr uid_t kOwner = 1000;
constexpr uid_t kStranger = 1001;
constexpr gid_t kFreehold = 500;
constexpr gid_t kOther = 600;
constexpr UidRange kHosted{20000, 29999};

enum class Membership { kNone, kPrimary, kSupplementary };
constexpr Membership kMemberships[] = {Membership::kNone, Membership::kPrimary, Membership::kSupplementary};

Peer peer(uid_t uid, Membership membership) {
  Peer out{.uid = uid, .gid = membership == Membership::kPrimary ? kFreehold : kOther, .groups = {kOther, 7}};
  if (membership == Membership::kSupplementary) out.groups.push_back(kFreehold);
  return out;
}

// Every kind of uid with every kind of membership, and what must come out; nothing is left to a default.
TEST(PeerRule, DecidesEveryCombination) {
  const PeerPolicy policy{.owner = kOwner, .groups = {kFreehold}, .hosted = kHosted};
  struct Row {
    uid_t uid;
    PeerRule alone;
    PeerRule as_member;
  };
  const Row kRows[] = {
      {0, PeerRule::kRoot, PeerRule::kRoot},
      {kOwner, PeerRule::kOwner, PeerRule::kOwner},
      {kStranger, PeerRule::kStranger, PeerRule::kGroup},
      {19999, PeerRule::kStranger, PeerRule::kGroup},
      {20000, PeerRule::kHosted, PeerRule::kHosted},
      {25000, PeerRule::kHosted, PeerRule::kHosted},
      {29999, PeerRule::kHosted, PeerRule::kHosted},
      {30000, PeerRule::kStranger, PeerRule::kGroup},
      {65534, PeerRule::kNobody, PeerRule::kNobody},
      {kUnknown, PeerRule::kNobody, PeerRule::kNobody},
  };
  for (const Row& row : kRows) {
    for (Membership membership : kMemberships) {
      PeerRule expected = membership == Membership::kNone ? row.alone : row.as_member;
      EXPECT_EQ(rule_for(policy, peer(row.uid, membership)), expected)
          << row.uid << " " << static_cast<int>(membership);
    }
  }
}

TEST(PeerRule, AdmitsThreeRulesAlone) {
  EXPECT_TRUE(is_admitted(PeerRule::kRoot));
  EXPECT_TRUE(is_admitted(PeerRule::kOwner));
  EXPECT_TRUE(is_admitted(PeerRule::kGroup));
  for (PeerRule rule : {PeerRule::kHosted, PeerRule::kNobody, PeerRule::kStranger, static_cast<PeerRule>(99)}) {
    EXPECT_FALSE(is_admitted(rule));
  }
}

TEST(PeerRule, RefusesHostedUidsEvenIfTheyOwnOrAreRoot) {
  PeerPolicy policy{.owner = 25000, .groups = {kFreehold}, .hosted = kHosted};
  EXPECT_EQ(rule_for(policy, peer(25000, Membership::kNone)), PeerRule::kHosted);
  policy.hosted = UidRange{0, 100};
  EXPECT_EQ(rule_for(policy, peer(0, Membership::kNone)), PeerRule::kHosted);
}

TEST(PeerRule, KnowsNoGroupAndNoHostedRangeWhereThereIsNone) {
  const PeerPolicy policy{.owner = kOwner, .groups = {}, .hosted = {}};
  for (Membership membership : kMemberships) {
    EXPECT_EQ(rule_for(policy, peer(kStranger, membership)), PeerRule::kStranger);
    EXPECT_EQ(rule_for(policy, peer(25000, membership)), PeerRule::kStranger);
    EXPECT_EQ(rule_for(policy, peer(kOwner, membership)), PeerRule::kOwner);
  }
}

TEST(PeerRule, RefusesAPeerOfWhomNothingIsKnown) {
  EXPECT_FALSE(is_admitted(rule_for({.owner = kUnknown, .groups = {kUnknown}, .hosted = {}}, Peer{})));
}

TEST(PeerRule, SaysWhy) {
  Peer hosted = peer(25000, Membership::kNone);
  EXPECT_EQ(explain(PeerRule::kHosted, hosted), "uid 25000 belongs to a hosted service, which may not use the API");
  EXPECT_NE(explain(PeerRule::kStranger, hosted).find("25000"), std::string::npos);
}

}  // namespace
}  // namespace freehold::auth
