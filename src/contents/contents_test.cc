#include "contents/contents.h"

#include <gmock/gmock.h>

#include "os/fault_disk.h"

namespace freehold::contents {
namespace {

using namespace std::chrono_literals;
using codec::sha256_hex;

constexpr Bytes kPlenty{1 << 20};
const std::string kFolder = "/state/contents";

class ContentsTest : public testing::Test {
 protected:
  ContentsTest() {
    EXPECT_TRUE(disk_.make_directories("/state", 0700).ok());
    EXPECT_TRUE(disk_.sync_directory("/").ok());
  }
  std::unique_ptr<ContentStore> open(ContentStore::Options options = {}) {
    auto store = ContentStore::open(disk_, clock_, kFolder, options);
    EXPECT_TRUE(store.ok()) << (store ? "" : store.error().message());
    return store ? *std::move(store) : nullptr;
  }
  std::string path_of(const std::string& digest) { return kFolder + "/" + digest.substr(0, 2) + "/" + digest; }
  void overwrite(const std::string& digest, std::string_view bytes) {
    ASSERT_TRUE(disk_.write_durably(path_of(digest), bytes, 0600).ok());
  }

  os::FaultDisk disk_;
  os::FakeClock clock_;
};

TEST_F(ContentsTest, GivesBackWhatWasUploadedInPieces) {
  auto store = open();
  auto upload = store->begin_upload();
  for (const char* piece : {"one ", "two ", "three"}) ASSERT_TRUE(upload->append(piece).ok());
  std::string digest = sha256_hex("one two three");
  EXPECT_FALSE(*store->hold(digest)) << "not before it is finished";
  ASSERT_TRUE(upload->finish(digest).ok());
  EXPECT_TRUE(*store->hold(digest));
  EXPECT_EQ(*store->read(digest, kPlenty), "one two three");
  EXPECT_EQ(*store->size(digest), 13u);
  EXPECT_EQ(*Contents(disk_, kFolder).read(digest, kPlenty), "one two three");
}

TEST_F(ContentsTest, RefusesBytesThatAreNotTheExpectedOnes) {
  auto store = open();
  {
    auto upload = store->begin_upload();
    ASSERT_TRUE(upload->append("one").ok());
    EXPECT_EQ(upload->finish(sha256_hex("two")).error().code(), ErrorCode::kInvalid);
    EXPECT_EQ(upload->append("more").error().code(), ErrorCode::kInvalid);
  }
  EXPECT_FALSE(*store->hold(sha256_hex("one")));
  EXPECT_TRUE(disk_.list(kFolder + "/incoming")->empty());
}

TEST_F(ContentsTest, RemovesAnUploadThatIsGivenUp) {
  auto store = open();
  {
    auto upload = store->begin_upload();
    ASSERT_TRUE(upload->append("one").ok());
    Upload moved = *std::move(upload);
    EXPECT_EQ(disk_.list(kFolder + "/incoming")->size(), 1u);
  }
  EXPECT_TRUE(disk_.list(kFolder + "/incoming")->empty());
}

TEST_F(ContentsTest, RemovesWhatAnInterruptedProcessWasReceiving) {
  auto store = open();
  auto upload = store->begin_upload();
  ASSERT_TRUE(upload->append("one").ok());
  (void)open();
  EXPECT_TRUE(disk_.list(kFolder + "/incoming")->empty());
}

TEST_F(ContentsTest, HoldsItsLimits) {
  auto store = open({.most_blob = Bytes{5}, .most_uploads = 1});
  auto upload = store->begin_upload();
  EXPECT_EQ(store->begin_upload().error().code(), ErrorCode::kUnavailable);
  ASSERT_TRUE(upload->append("12345").ok());
  EXPECT_EQ(upload->append("6").error().code(), ErrorCode::kExhausted);
  EXPECT_FALSE(upload->finish(sha256_hex("12345")).ok());
}

TEST_F(ContentsTest, NamesBlobsByDigestsAlone) {
  auto store = open();
  for (const char* name : {"", "..", "../../etc/passwd", "ABCDEF"}) {
    EXPECT_EQ(store->hold(name).error().code(), ErrorCode::kInvalid);
    EXPECT_EQ(store->read(name, kPlenty).error().code(), ErrorCode::kInvalid);
    EXPECT_EQ(store->size(name).error().code(), ErrorCode::kInvalid);
    auto upload = store->begin_upload();
    EXPECT_EQ(upload->finish(name).error().code(), ErrorCode::kInvalid);
  }
  EXPECT_EQ(store->read(sha256_hex("never"), kPlenty).error().code(), ErrorCode::kNotFound);
}

TEST_F(ContentsTest, NeverGivesOutDamagedBytesAndHealsWithTheNextUpload) {
  auto store = open();
  std::string digest = *store->put("precious");
  overwrite(digest, "precioux");
  EXPECT_EQ(store->read(digest, kPlenty).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(store->verify(digest).error().code(), ErrorCode::kCorrupt);
  EXPECT_FALSE(*store->hold(digest)) << "so that it is asked for again";
  ASSERT_TRUE(store->put("precious").ok());
  EXPECT_TRUE(store->verify(digest).ok());
  overwrite(digest, "");
  ASSERT_TRUE(store->put("precious").ok());
  EXPECT_EQ(*store->read(digest, kPlenty), "precious") << "an upload replaces a damaged one";
}

TEST_F(ContentsTest, CollectsWhatNothingNeedsAfterTheGracePeriod) {
  auto store = open();
  std::string live = *store->put("live");
  std::string dead = *store->put("dead");
  std::string held = *store->put("held");
  EXPECT_EQ(store->collect({live}, 1h)->blobs, 0u) << "all of it is new";
  clock_.advance(1h);
  EXPECT_TRUE(*store->hold(held));
  std::string fresh = *store->put("fresh");
  auto collected = store->collect({live}, 1h);
  EXPECT_EQ(collected->blobs, 1u);
  EXPECT_EQ(collected->bytes.count, 4u);
  EXPECT_FALSE(*store->hold(dead));
  for (const auto& digest : {live, held, fresh}) EXPECT_TRUE(store->size(digest).ok());
  clock_.advance(1h);
  EXPECT_EQ(store->collect({}, 1h)->blobs, 3u);
}

TEST_F(ContentsTest, CollectsNothingSoonAfterARestart) {
  ASSERT_TRUE(open()->put("held by somebody who was told that it is here").ok());
  clock_.advance(24h);
  auto store = open();
  EXPECT_EQ(store->collect({}, 1h)->blobs, 0u);
  clock_.jump_wall(24h);
  EXPECT_EQ(store->collect({}, 1h)->blobs, 0u) << "the wall clock does not count";
  clock_.advance(1h);
  EXPECT_EQ(store->collect({}, 1h)->blobs, 1u);
}

// At whatever change the power goes: what finish() acknowledged is there, and nothing is there that is not whole.
TEST_F(ContentsTest, KeepWhatTheyAcknowledgedWhereverThePowerIsCut) {
  std::string first = *open()->put("kept from before");
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (uint64_t change = 1;; ++change) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", power cut at change " << change);
      std::string bytes = "content " + std::to_string(seed) + " " + std::to_string(change);
      std::string digest = sha256_hex(bytes);
      os::SeededRandom random(seed);
      disk_.crash_at(disk_.changes() + change);
      bool acknowledged = false;
      bool crashed = false;
      {
        auto store = ContentStore::open(disk_, clock_, kFolder, {});
        acknowledged = store.ok() && (*store)->put(bytes).ok() && (*store)->put(bytes).ok();
        crashed = disk_.crashed();
      }
      disk_.power_cut(seed == 0 ? nullptr : &random);
      auto store = open();
      ASSERT_NE(store, nullptr);
      auto found = store->read(digest, kPlenty);
      ASSERT_TRUE(found.ok() || !acknowledged) << "acknowledged and lost";
      if (found) {
        ASSERT_EQ(*found, bytes);
      } else {
        ASSERT_EQ(found.error().code(), ErrorCode::kNotFound) << found.error().message();
      }
      ASSERT_TRUE(store->verify(first).ok());
      ASSERT_TRUE(disk_.list(kFolder + "/incoming")->empty());
      if (!crashed) break;
    }
  }
}

// A process that died between the renaming and the syncing leaves a blob that only looks as if it were safe.
TEST_F(ContentsTest, HoldNothingThatALaterPowerCutTakes) {
  for (const bool same_process : {true, false}) {
    disk_.fail_at(0, Error(ErrorCode::kInternal, "never"));
    for (uint64_t change = 1;; ++change) {
      SCOPED_TRACE(testing::Message() << "failing change " << change << ", same process: " << same_process);
      auto store = open();
      uint64_t at = disk_.changes() + change;
      std::string bytes = "content " + std::to_string(change) + (same_process ? "" : " elsewhere");
      disk_.fail_at(at, Error(ErrorCode::kInternal, "died here"));
      (void)store->put(bytes).ok();
      if (disk_.changes() < at) break;
      if (!same_process) store = open();
      if (*store->hold(sha256_hex(bytes))) {
        disk_.power_cut(nullptr);
        auto found = store->read(sha256_hex(bytes), kPlenty);
        ASSERT_TRUE(found.ok()) << "held and lost";
      }
    }
  }
}

TEST_F(ContentsTest, StayWholeWhateverSingleChangeFails) {
  std::string first = *open()->put("kept from before");
  for (uint64_t change = 1;; ++change) {
    SCOPED_TRACE(testing::Message() << "failing change " << change);
    auto store = open();
    uint64_t at = disk_.changes() + change;
    std::string bytes = "content " + std::to_string(change);
    disk_.fail_at(at, Error(ErrorCode::kInternal, "cannot sync: Input/output error"));
    bool put = store->put(bytes).ok();
    if (!put) {
      ASSERT_TRUE(store->put(bytes).ok()) << "and works when tried again";
    }
    disk_.power_cut(nullptr);
    ASSERT_EQ(*store->read(sha256_hex(bytes), kPlenty), bytes);
    ASSERT_TRUE(store->verify(first).ok());
    if (disk_.changes() < at) break;
  }
}

TEST_F(ContentsTest, RefuseAnUploadOnAFullDiskAndKeepTheRest) {
  auto store = open();
  std::string first = *store->put("kept");
  disk_.set_capacity(Bytes{20});
  auto second = store->put(std::string(100, 'x'));
  EXPECT_EQ(second.error().code(), ErrorCode::kExhausted);
  EXPECT_TRUE(store->verify(first).ok());
  EXPECT_EQ(disk_.free_space("/")->count, 16u) << "what had arrived is gone";
  EXPECT_TRUE(store->put("small").ok());
}

}  // namespace
}  // namespace freehold::contents
