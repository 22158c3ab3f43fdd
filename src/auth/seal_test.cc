#include "auth/seal.h"

#include <gmock/gmock.h>

#include "codec/base64.h"
#include "os/fault_disk.h"

namespace freehold::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kPath = "/seal.key";

class SealTest : public testing::Test {
 protected:
  Sealer open() {
    auto sealer = Sealer::load_or_create(disk_, random_, kPath);
    EXPECT_TRUE(sealer.ok()) << (sealer ? "" : sealer.error().message());
    return *std::move(sealer);
  }

  os::FaultDisk disk_;
  os::SeededRandom random_{1};
};

TEST_F(SealTest, GivesBackWhatWasSealedAfterARestart) {
  for (const std::string& value :
       {std::string(), std::string("hunter2"), std::string("\0\xff\n", 3), std::string(Sealer::kMostValueBytes, 'x')}) {
    std::string text = *open().seal("password", value);
    EXPECT_TRUE(text.starts_with("v1:"));
    EXPECT_EQ(open().unseal("password", text).value_or("(refused)"), value);
  }
}

TEST_F(SealTest, ShowsNothingOfTheValue) {
  Sealer sealer = open();
  std::string one = *sealer.seal("password", "hunter2");
  EXPECT_THAT(one, Not(HasSubstr("hunter2")));
  EXPECT_NE(one, *sealer.seal("password", "hunter2")) << "sealing twice does not show that it is the same";
}

TEST_F(SealTest, RefusesAChangeOfAnyBit) {
  Sealer sealer = open();
  std::string bytes = *codec::base64_decode(sealer.seal("password", "hunter2")->substr(3));
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    auto value = sealer.unseal("password", "v1:" + codec::base64_encode(changed));
    ASSERT_FALSE(value.ok()) << bit;
    ASSERT_EQ(value.error().code(), ErrorCode::kCorrupt);
  }
}

TEST_F(SealTest, RefusesWhatWasNeverSealed) {
  Sealer sealer = open();
  std::string good = *sealer.seal("password", "hunter2");
  for (const std::string& text : {std::string(), std::string("v1:"), std::string("v1:AAAA"), good.substr(3),
                                  good.substr(0, good.size() - 4), good + "AAAA", std::string(3 << 20, 'A')}) {
    EXPECT_EQ(sealer.unseal("password", text).error().code(), ErrorCode::kCorrupt);
  }
  EXPECT_EQ(sealer.unseal("password", "v2:" + good.substr(3)).error().code(), ErrorCode::kUnsupported);
}

TEST_F(SealTest, OpensAValueUnderItsOwnNameAndKeyAlone) {
  std::string text = *open().seal("password", "hunter2");
  auto value = open().unseal("other", text);
  EXPECT_EQ(value.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(value.error().message(), HasSubstr("'other'"));
  ASSERT_TRUE(disk_.remove(kPath).ok());
  EXPECT_EQ(open().unseal("password", text).error().code(), ErrorCode::kCorrupt);
}

TEST_F(SealTest, RefusesAValueThatIsTooLarge) {
  auto text = open().seal("password", std::string(Sealer::kMostValueBytes + 1, 'x'));
  EXPECT_EQ(text.error().code(), ErrorCode::kExhausted);
  EXPECT_THAT(text.error().message(), Not(HasSubstr("xx")));
}

TEST_F(SealTest, HashesByKeyNameAndValue) {
  Sealer sealer = open();
  std::string hash = sealer.hash("a", "bc");
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(open().hash("a", "bc"), hash) << "the same after a restart";
  EXPECT_NE(sealer.hash("ab", "c"), hash);
  EXPECT_NE(sealer.hash("a", "bd"), hash);
  ASSERT_TRUE(disk_.remove(kPath).ok());
  EXPECT_NE(open().hash("a", "bc"), hash) << "another key, another hash";
}

TEST_F(SealTest, KeepsItsKeyToItself) {
  (void)open();
  EXPECT_EQ(disk_.info(kPath)->mode, 0600u);
  EXPECT_EQ(disk_.info(kPath)->size, Sealer::kKeyBytes);
  ASSERT_TRUE(disk_.set_mode(kPath, 0640).ok());
  auto open_to_others = Sealer::load_or_create(disk_, random_, kPath);
  EXPECT_EQ(open_to_others.error().code(), ErrorCode::kDenied);
  EXPECT_THAT(open_to_others.error().message(), HasSubstr("mode 0640"));
}

TEST_F(SealTest, NeverReplacesAKeyThatItCannotUse) {
  EXPECT_EQ(Sealer::load(disk_, random_, kPath).error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(disk_.exists(kPath)) << "load makes none";
  ASSERT_TRUE(disk_.write_durably(kPath, "short", 0600).ok());
  EXPECT_EQ(Sealer::load_or_create(disk_, random_, kPath).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(*disk_.read(kPath, Bytes{100}), "short");
}

TEST_F(SealTest, HasSealedNothingWithAKeyThatAPowerCutTakes) {
  for (uint64_t change = 1;; ++change) {
    SCOPED_TRACE(change);
    os::FaultDisk disk;
    disk.crash_at(change);
    auto sealer = Sealer::load_or_create(disk, random_, kPath);
    std::string text = sealer ? *sealer->seal("password", "hunter2") : "";
    disk.power_cut(nullptr);
    auto again = Sealer::load_or_create(disk, random_, kPath);
    ASSERT_TRUE(again.ok());
    if (!sealer) continue;
    EXPECT_EQ(*again->unseal("password", text), "hunter2");
    break;
  }
}

// The one who made it died before it was durable; who finds it must not seal with what a power cut may take.
TEST_F(SealTest, HasSealedNothingWithAKeyThatSomebodyLeftUnsynced) {
  for (uint64_t change = 1;; ++change) {
    SCOPED_TRACE(change);
    os::FaultDisk disk;
    disk.fail_at(change, Error(ErrorCode::kInternal, "died here"));
    (void)Sealer::load_or_create(disk, random_, kPath).ok();
    if (disk.changes() < change) break;
    auto sealer = Sealer::load_or_create(disk, random_, kPath);
    ASSERT_TRUE(sealer.ok());
    std::string text = *sealer->seal("password", "hunter2");
    disk.power_cut(nullptr);
    auto again = Sealer::load_or_create(disk, random_, kPath);
    ASSERT_TRUE(again.ok());
    auto value = again->unseal("password", text);
    ASSERT_TRUE(value.ok()) << "sealed with a key that is gone";
    EXPECT_EQ(*value, "hunter2");
  }
}

}  // namespace
}  // namespace freehold::auth
