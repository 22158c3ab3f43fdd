#include "control/ledger.h"

#include <gmock/gmock.h>

#include "control/rollout_test_support.h"
#include "store/memory_store.h"

namespace freehold::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LedgerTest : public testing::Test {
 protected:
  // The keys that were written since, in the order of the store.
  std::vector<std::string> written_since(store::Revision revision) {
    std::vector<std::string> out;
    store::Changes changes = *store_.changes("", revision, 1000);
    for (const store::Change& change : changes.changes) out.push_back(change.key);
    std::sort(out.begin(), out.end());
    return out;
  }
  store::Revision now() { return *store_.revision(); }
  // Three services that run, as a rollout brought them there.
  void have_three_services() {
    for (const char* name : {"api", "mail", "web"}) scene_.service(name).replicas = 2;
    scene_.apply_to_the_end();
    ledger_.desired = scene_.state;
    ledger_.rollout = scene_.rollout;
    ASSERT_TRUE(ledger_.commit({.rollout = true}).ok());
    scene_.state = ledger_.desired;
  }
  void step() {
    ledger_.desired = scene_.state;
    ledger_.rollout = scene_.rollout;
    ASSERT_TRUE(ledger_.commit({.rollout = true}).ok());
    scene_.state = ledger_.desired;
    scene_.rollout = *ledger_.rollout;
  }

  store::MemoryStore store_;
  Ledger ledger_ = *Ledger::open(store_);
  Scene scene_;
};

TEST_F(LedgerTest, WritesTheServicesThatAStepTouchedAndNoOthers) {
  have_three_services();
  scene_.change("web");
  ++scene_.generation.number;
  scene_.rollout.id = 1;
  scene_.begin(RolloutKind::kApply, {});
  scene_.rollout.id = 2;
  store::Revision before = now();
  step();
  EXPECT_THAT(written_since(before), ElementsAre("control/rollout", "control/rollout-routing", "rollout/web"));
  scene_.go();
  before = now();
  step();
  EXPECT_THAT(written_since(before), ElementsAre("control/desired", "control/rollout", "desired/web", "rollout/web"));
  before = now();
  step();
  EXPECT_THAT(written_since(before), ElementsAre("control/rollout")) << "nothing was touched";
}

TEST_F(LedgerTest, FindsEverythingAgainAfterEachStep) {
  have_three_services();
  scene_.change("web");
  ++scene_.generation.number;
  scene_.begin(RolloutKind::kApply, {});
  scene_.rollout.id = 2;
  for (int i = 0; i < 20 && scene_.rollout.outcome == Outcome::kRunning; ++i) {
    step();
    auto stored = LedgerReader::look(store_);
    ASSERT_TRUE(stored.ok()) << stored.error().message();
    EXPECT_EQ(codec::to_json(node_desired(stored->desired)), codec::to_json(node_desired(scene_.state)));
    ASSERT_EQ(stored->rollout->services.size(), scene_.rollout.services.size());
    EXPECT_EQ(codec::to_json(stored->rollout->services[0]), codec::to_json(scene_.rollout.services[0]));
    EXPECT_EQ(codec::to_json(*stored->rollout), codec::to_json(scene_.rollout));
    scene_.everything_serves();
  }
  EXPECT_EQ(scene_.rollout.outcome, Outcome::kDone);
}

TEST_F(LedgerTest, KeepsNothingOfARolloutThatHasEndedButWhatItWas) {
  have_three_services();
  EXPECT_THAT(store_.list("rollout/", 10, "")->entries, IsEmpty());
  auto stored = LedgerReader::look(store_);
  ASSERT_TRUE(stored->rollout);
  EXPECT_EQ(stored->rollout->outcome, Outcome::kDone);
  EXPECT_FALSE(stored->rollout->routing_to);
}

TEST_F(LedgerTest, GivesNoNumberTwiceThoughTheServiceIsLongGone) {
  have_three_services();
  scene_.generation.organisation.services.erase("web");
  scene_.apply_to_the_end();
  step();
  auto stored = LedgerReader::look(store_);
  EXPECT_FALSE(stored->desired.instances.contains("web"));
  EXPECT_EQ(stored->desired.last_numbers.at("web"), 2u);
}

TEST_F(LedgerTest, WritesAgainWhatAFailedCommitDidNotTake) {
  have_three_services();
  Change change(ledger_.desired);
  change.want(change.instances("web")[0], model::Wanted::kStopped);
  change.commit();
  Ledger successor = *Ledger::open(store_);
  EXPECT_EQ(ledger_.commit({}).error().code(), ErrorCode::kConflict) << "fenced out";
  EXPECT_THAT(ledger_.desired.touched, ElementsAre("web"));
  successor.desired = ledger_.desired;
  ASSERT_TRUE(successor.commit({}).ok());
  EXPECT_EQ(LedgerReader::look(store_)->desired.instances.at("web")[0].instance.wanted, model::Wanted::kStopped);
}

TEST_F(LedgerTest, LooksWithoutWriting) {
  have_three_services();
  store::Revision before = now();
  ASSERT_TRUE(LedgerReader::look(store_).ok());
  EXPECT_EQ(now(), before);
  EXPECT_TRUE(ledger_.commit({.current = true}).ok()) << "the fence was not taken";
}

TEST_F(LedgerTest, RefusesAStateOfAnotherFormatAndLeavesItAlone) {
  struct Case {
    std::optional<std::string> format;
    std::string says;
  };
  for (const Case& each : {Case{"3", "newer"}, Case{"1", "an older"}, Case{std::nullopt, "before its format 2"}}) {
    store::Write write;
    write.put("control/format", each.format.value_or(""));
    if (!each.format) write = store::Write().remove("control/format");
    ASSERT_TRUE(store_.commit(write).ok());
    store::Revision before = now();
    for (const Result<void>& opened : {[&] {
                                         auto ledger = Ledger::open(store_);
                                         return ledger ? Result<void>() : ledger.error();
                                       }(),
                                       [&] {
                                         auto reader = LedgerReader::look(store_);
                                         return reader ? Result<void>() : reader.error();
                                       }()}) {
      ASSERT_FALSE(opened.ok());
      EXPECT_EQ(opened.error().code(), ErrorCode::kUnsupported);
      EXPECT_THAT(opened.error().message(), HasSubstr(each.says));
    }
    EXPECT_EQ(now(), before);
  }
}

TEST_F(LedgerTest, NamesTheValueThatCannotBeRead) {
  have_three_services();
  ASSERT_TRUE(store_.commit(store::Write().put("desired/mail", "{")).ok());
  auto opened = Ledger::open(store_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(opened.error().message(), HasSubstr("desired/mail"));
}

TEST_F(LedgerTest, PrunesWholeGenerationsAndTheirSecrets) {
  for (uint64_t number = 1; number <= 5; ++number) {
    Generation generation;
    generation.number = number;
    generation.secret_hashes["key"] = std::string(1, static_cast<char>('a' + number));
    ledger_.current = number;
    ASSERT_TRUE(ledger_
                    .commit({.current = true,
                             .generations = {&generation},
                             .secrets = {{generation.secret_hashes["key"], "sealed"}}})
                    .ok());
  }
  ledger_.rollout.reset();
  auto kept = ledger_.prune(2);
  ASSERT_TRUE(kept.ok());
  ASSERT_EQ(kept->size(), 2u);
  EXPECT_EQ(store_.list("organisations/", 10, "")->entries.size(), 2u);
  EXPECT_EQ(store_.list("secrets/", 10, "")->entries.size(), 2u);
  EXPECT_EQ(ledger_.generation(3).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Ledger::open(store_)->last_generation(), 5u);
}

TEST_F(LedgerTest, KeepsWhatCanBeGoneBackToThroughAnyNumberOfFailures) {
  auto put = [&](GenerationStatus status) {
    Generation generation;
    generation.number = ledger_.last_generation() + 1;
    generation.status = status;
    ASSERT_TRUE(ledger_.commit({.generations = {&generation}}).ok());
  };
  put(GenerationStatus::kSuperseded);
  put(GenerationStatus::kCurrent);
  ledger_.current = 2;
  for (int i = 0; i < 30; ++i) put(i % 2 == 0 ? GenerationStatus::kFailed : GenerationStatus::kUndone);
  std::vector<GenerationHead> left = *ledger_.prune(8);
  std::vector<uint64_t> kept;
  for (const GenerationHead& head : left) kept.push_back(head.number);
  EXPECT_THAT(kept, ElementsAre(32, 31, 2, 1));
}

}  // namespace
}  // namespace freehold::control
