#include "auth/token.h"

#include <gmock/gmock.h>

#include "os/fault_disk.h"

namespace freehold::auth {
namespace {

const std::string kPath = "/api.token";

class TokenTest : public testing::Test {
 protected:
  Result<ApiToken> open() { return ApiToken::load_or_create(disk_, random_, kPath); }

  os::FaultDisk disk_;
  os::SeededRandom random_{1};
};

TEST_F(TokenTest, IsMadeOnceAndKeptForItsOwner) {
  EXPECT_EQ(ApiToken::load(disk_, kPath).error().code(), ErrorCode::kNotFound);
  auto token = open();
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->text().size(), 4u + 64);
  EXPECT_EQ(disk_.info(kPath)->mode, 0600u);
  EXPECT_EQ(open()->text(), token->text());
  EXPECT_EQ(ApiToken::load(disk_, kPath)->text(), token->text());
  ASSERT_TRUE(disk_.remove(kPath).ok());
  EXPECT_NE(open()->text(), token->text());
}

TEST_F(TokenTest, AdmitsItselfAlone) {
  auto token = open();
  EXPECT_TRUE(token->admits("Bearer " + token->text()));
  EXPECT_TRUE(token->admits("bearer  " + token->text()));
  for (const std::string& header :
       {std::string(), std::string("Bearer"), std::string("Bearer "), token->text(), "Basic " + token->text(),
        "Bearer " + token->text() + "0", "Bearer " + token->text().substr(1),
        std::string("Bearer fht_") + std::string(64, '0')}) {
    EXPECT_FALSE(token->admits(header)) << header;
  }
}

TEST_F(TokenTest, RefusesAFileThatIsNoSafeToken) {
  ASSERT_TRUE(disk_.write_durably(kPath, "\n", 0600).ok());
  EXPECT_EQ(open().error().code(), ErrorCode::kCorrupt);
  ASSERT_TRUE(disk_.remove(kPath).ok());
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(disk_.set_mode(kPath, 0644).ok());
  EXPECT_EQ(open().error().code(), ErrorCode::kDenied);
}

TEST_F(TokenTest, IsTheSameAfterAPowerCutOnceItWasGivenOut) {
  for (const bool dies : {true, false}) {
    for (uint64_t change = 1;; ++change) {
      SCOPED_TRACE(testing::Message() << "change " << change << (dies ? ": the power is cut" : ": it fails alone"));
      os::FaultDisk disk;
      if (dies) {
        disk.crash_at(change);
      } else {
        disk.fail_at(change, Error(ErrorCode::kInternal, "died here"));
      }
      auto token = ApiToken::load_or_create(disk, random_, kPath);
      if (disk.changes() < change) break;
      if (!dies) token = ApiToken::load_or_create(disk, random_, kPath);
      disk.power_cut(nullptr);
      auto again = ApiToken::load_or_create(disk, random_, kPath);
      ASSERT_TRUE(again.ok());
      if (token) {
        EXPECT_EQ(again->text(), token->text());
      }
    }
  }
}

}  // namespace
}  // namespace freehold::auth
