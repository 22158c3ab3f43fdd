// The controller over a store that fails or dies at any write, and a node made of values.
#include "control/controller.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include "os/fault_disk.h"
#include "store/memory_store.h"

namespace freehold::control {
namespace {

using testing::Contains;
using testing::HasSubstr;

// A store whose disk can be full for a while, or for good from a certain write on.
class FullStore : public store::Store {
 public:
  explicit FullStore(store::Store& inner) : inner_(inner) {}

  bool full = false;
  uint64_t full_from = 0;  // the write with this number, counted from 1; 0: never
  uint64_t writes = 0;

  Result<store::Revision> revision() override { return inner_.revision(); }
  Result<store::Entry> get(std::string_view key) override { return inner_.get(key); }
  Result<store::Page> list(std::string_view prefix, size_t limit, std::string_view after) override {
    return inner_.list(prefix, limit, after);
  }
  Result<store::Revision> commit(const store::Write& write) override {
    ++writes;
    if (full || (full_from != 0 && writes >= full_from)) return Error(ErrorCode::kExhausted, "no room left");
    return inner_.commit(write);
  }
  Result<store::Changes> changes(std::string_view prefix, store::Revision after, size_t limit) override {
    return inner_.changes(prefix, after, limit);
  }
  store::Subscription on_commit(std::function<void(store::Revision)> callback) override {
    return inner_.on_commit(std::move(callback));
  }

 private:
  store::Store& inner_;
};

struct Events : EventSink {
  std::vector<std::string> kinds;
  bool full = false;
  Result<uint64_t> append(const Occurrence& occurrence) override {
    if (full) return Error(ErrorCode::kExhausted, "no room left");
    kinds.push_back(occurrence.kind);
    return kinds.size();
  }
  Result<void> append(const std::vector<model::NodeEvent>&) override { return {}; }
  uint64_t last_id() const override { return kinds.size(); }
  model::Keep kept;
  Result<void> keep(const model::Keep& keep) override {
    kept = keep;
    return {};
  }
};

struct Node : NodePort {
  model::NodeDesired desired;
  bool finished = false;
  void want(const model::NodeDesired& wanted) override { desired = wanted; }
  void finish() override { finished = true; }
};

struct PlainBox : SecretBox {
  Result<std::string> seal(const std::string&, const std::string& value) override { return "sealed " + value; }
  Result<std::string> hash(const std::string& name, const std::string& value) override { return name + value; }
};

class ControllerTest : public testing::Test {
 protected:
  // All that lives longer than one control, and one control.
  struct World {
    os::FakeClock clock;
    os::FaultDisk disk;
    store::MemoryStore durable;
    std::unique_ptr<FullStore> store = std::make_unique<FullStore>(durable);
    Events events;
    Node node;
    PlainBox box;
    std::unique_ptr<contents::ContentStore> contents;
    std::unique_ptr<runtime::Loop> loop;
    std::unique_ptr<Controller> control;

    World() {
      (void)disk.make_directories("/state", 0700).ok();
      start();
    }
    void start() {
      control.reset();
      contents.reset();
      loop = *runtime::Loop::create(runtime::Backend::kEpoll, clock);
      contents = *contents::ContentStore::open(disk, clock, "/state/contents", {});
      Controller::Options options;
      options.boot_id = "boot";
      options.owner = fmt::format("control {}", ++starts);
      auto opened = Controller::open({*loop, *store, *contents, events, node, box}, options);
      ASSERT_TRUE(opened.ok()) << opened.error().message();
      control = *std::move(opened);
      control->node_connected();
    }
    // kill -9, and the disk has room for the next one.
    void die() {
      control.reset();
      store = std::make_unique<FullStore>(durable);
      start();
    }
    Result<Accepted> up(const std::string& greeting, std::optional<uint64_t> base = {}, const std::string& more = "") {
      model::Submission submission;
      submission.file = "freehold.yaml";
      submission.sources = {{"freehold.yaml",
                             "freehold: 1\nname: coop\nservices:\n  web:\n    run: /bin/web\n    env: "
                             "{GREETING: " +
                                 greeting + "}\n" + more}};
      submission.base = base;
      return control->apply(submission, "ada");
    }
    // The node obeys: what shall run is healthy, what shall not is gone.
    void node_obeys() {
      model::NodeObserved observed;
      observed.revision = node.desired.revision;
      for (const model::DesiredInstance& wanted : node.desired.instances) {
        if (wanted.wanted == model::Wanted::kStopped) continue;
        model::ObservedInstance& instance = observed.instances.emplace_back();
        instance.id = wanted.id;
        instance.service = wanted.service;
        instance.fingerprint = wanted.fingerprint;
        instance.state = model::InstanceState::kHealthy;
        instance.serving = true;
      }
      control->node_observed(std::move(observed));
    }
    void turn() {
      clock.advance(std::chrono::seconds(1));
      loop->run_once(Duration::zero());
      node_obeys();
    }
    bool runs() const { return control->rollout() && control->rollout()->outcome == Outcome::kRunning; }
    void until_it_ends() {
      for (int i = 0; i < 50; ++i) turn();
    }
    std::string status(uint64_t number) {
      auto generation = control->generation(number);
      return generation ? std::string(enum_names(generation->status)[static_cast<size_t>(generation->status)]) : "none";
    }

    int starts = 0;
  };
};

TEST_F(ControllerTest, EndsWhatItAcceptedAndNothingElseWhereverItDies) {
  for (uint64_t death = 1;; ++death) {
    SCOPED_TRACE(death);
    World world;
    ASSERT_TRUE(world.up("one").ok());
    world.until_it_ends();
    ASSERT_EQ(world.control->current(), 1u);
    world.events.kinds.clear();
    world.store->writes = 0;
    world.store->full_from = death;
    auto accepted = world.up("two");
    world.until_it_ends();
    bool died = world.store->writes >= death;
    world.die();
    world.until_it_ends();
    ASSERT_FALSE(world.runs());
    if (accepted) {
      EXPECT_EQ(world.control->current(), 2u);
      EXPECT_EQ(world.status(2), "current");
      EXPECT_EQ(world.status(1), "superseded");
      EXPECT_THAT(world.events.kinds, Contains("apply.done"));
    } else {
      EXPECT_EQ(accepted.error().code(), ErrorCode::kExhausted);
      EXPECT_EQ(world.control->current(), 1u);
      EXPECT_EQ(world.status(2), "none");
      ASSERT_TRUE(world.up("two", 1).ok()) << "with room again it goes on";
      world.until_it_ends();
      EXPECT_EQ(world.control->current(), 2u);
    }
    EXPECT_EQ(world.node.desired.instances.size(), 1u);
    if (!died) break;
    ASSERT_LT(death, 100u);
  }
}

TEST_F(ControllerTest, TellsTheNodeNothingThatIsNotWrittenAndGoesOnWhenThereIsRoom) {
  World world;
  ASSERT_TRUE(world.up("one").ok());
  world.until_it_ends();
  ASSERT_TRUE(world.up("two").ok());
  uint64_t told = world.node.desired.revision;
  world.store->full = true;
  world.until_it_ends();
  EXPECT_EQ(world.node.desired.revision, told);
  auto refused = world.control->down("bob");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("no room left"));
  world.store->full = false;
  world.until_it_ends();
  EXPECT_EQ(world.control->current(), 2u);
  EXPECT_EQ(std::ranges::count(world.events.kinds, "instance.took-over"), 2) << "one of each apply, each told once";
}

TEST_F(ControllerTest, AnApplyThatCouldNotBeStoredNeverWas) {
  World world;
  ASSERT_TRUE(world.up("one").ok());
  world.until_it_ends();
  world.store->full = true;
  EXPECT_EQ(world.up("two").error().code(), ErrorCode::kExhausted);
  EXPECT_FALSE(world.runs());
  world.until_it_ends();
  EXPECT_EQ(world.node.desired.instances.front().id, "web.1");
  world.store->full = false;
  ASSERT_TRUE(world.up("two", 1).ok());
  world.until_it_ends();
  EXPECT_EQ(world.control->current(), 2u);
}

TEST_F(ControllerTest, RecordsTheEndOnceTheEventsHaveRoom) {
  World world;
  ASSERT_TRUE(world.up("one").ok());
  world.events.full = true;
  world.until_it_ends();
  EXPECT_EQ(world.control->current(), 1u);
  world.events.full = false;
  world.until_it_ends();
  EXPECT_EQ(std::ranges::count(world.events.kinds, "apply.done"), 1);
  world.die();
  world.until_it_ends();
  EXPECT_EQ(std::ranges::count(world.events.kinds, "apply.done"), 1);
}

TEST_F(ControllerTest, RemembersOverADeathThatEverythingShallStop) {
  World world;
  ASSERT_TRUE(world.up("one").ok());
  world.until_it_ends();
  ASSERT_TRUE(world.up("two").ok());
  world.loop->run_once(Duration::zero());
  auto accepted = world.control->down("ada");
  ASSERT_TRUE(accepted.ok());
  world.die();
  world.until_it_ends();
  EXPECT_TRUE(world.node.finished);
  EXPECT_EQ(world.control->rollout()->id, accepted->rollout) << "the one that the caller was told to follow";
  EXPECT_EQ(world.control->rollout()->kind, RolloutKind::kDown);
}

TEST_F(ControllerTest, EndsEverythingOnceWhereTheFirstApplyGivesWayToDown) {
  World world;
  ASSERT_TRUE(world.up("one").ok());
  world.loop->run_once(Duration::zero());
  auto accepted = world.control->down("ada");
  ASSERT_TRUE(accepted.ok());
  world.until_it_ends();
  EXPECT_TRUE(world.node.finished);
  EXPECT_EQ(world.control->rollout()->id, accepted->rollout);
  world.node.finished = false;
  world.die();
  world.until_it_ends();
  EXPECT_FALSE(world.node.finished) << "the next start does not end everything again";
}

TEST_F(ControllerTest, JobsAreThoseOfTheCurrentGenerationAndNoneWhileEverythingStops) {
  auto nightly = [](const std::string& words) {
    return "  nightly:\n    run: /bin/nightly " + words + "\n    schedule: daily 02:00\ntimezone: Europe/Berlin\n";
  };
  World world;
  ASSERT_TRUE(world.up("one", {}, nightly("first")).ok());
  world.loop->run_once(Duration::zero());
  EXPECT_TRUE(world.node.desired.jobs.empty()) << "not before the apply is done";
  world.until_it_ends();
  ASSERT_EQ(world.node.desired.jobs.size(), 1u);
  auto words = [&] { return world.node.desired.runtimes.at(world.node.desired.jobs.at("nightly").fingerprint).run; };
  EXPECT_THAT(words(), testing::ElementsAre("/bin/nightly", "first"));
  EXPECT_EQ(world.node.desired.timezone, "Europe/Berlin");
  for (const model::DesiredInstance& instance : world.node.desired.instances) EXPECT_EQ(instance.service, "web");
  EXPECT_FALSE(world.node.desired.routing.addresses.contains("nightly"));

  ASSERT_TRUE(world.up("two", {}, nightly("second")).ok());
  world.loop->run_once(Duration::zero());
  EXPECT_THAT(words(), testing::ElementsAre("/bin/nightly", "first"));
  world.die();
  world.until_it_ends();
  EXPECT_THAT(words(), testing::ElementsAre("/bin/nightly", "second"));
  // Nothing but the job: the node is told of it all the same, and no instance is touched.
  auto instances = codec::to_json(world.node.desired.instances).dump();
  ASSERT_TRUE(world.up("two", {}, nightly("third")).ok());
  world.until_it_ends();
  EXPECT_THAT(words(), testing::ElementsAre("/bin/nightly", "third"));
  EXPECT_EQ(codec::to_json(world.node.desired.instances).dump(), instances);
  EXPECT_THAT(world.control->restart("nightly", "ada").error().message(), HasSubstr("is a job"));

  ASSERT_TRUE(world.control->down("ada").ok());
  world.turn();
  EXPECT_TRUE(world.node.desired.jobs.empty());
  world.until_it_ends();
  EXPECT_TRUE(world.node.finished);
}

TEST_F(ControllerTest, RollsBackTwiceToTheOneBeforeAndSaysWhatItChose) {
  World world;
  for (const char* greeting : {"one", "two", "three"}) {
    ASSERT_TRUE(world.up(greeting).ok());
    world.until_it_ends();
  }
  auto first = world.control->rollback({}, "ada");
  ASSERT_TRUE(first.ok()) << first.error().message();
  EXPECT_THAT(first->text, HasSubstr("Back to generation 2, which ran before generation 3"));
  EXPECT_THAT(first->text, HasSubstr("replace web"));
  world.until_it_ends();
  EXPECT_EQ(world.control->current_generation()->organisation.services.at("web").env.at("GREETING"), "two");
  auto second = world.control->rollback({}, "ada");
  ASSERT_TRUE(second.ok()) << second.error().message();
  world.until_it_ends();
  EXPECT_EQ(world.control->current_generation()->organisation.services.at("web").env.at("GREETING"), "one");
  EXPECT_EQ(world.control->rollback({}, "ada").error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace freehold::control
