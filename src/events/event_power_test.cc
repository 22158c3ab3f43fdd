// The event log on a disk whose power is cut, and that is full, at every single change that it makes.
#include <gmock/gmock.h>

#include <map>

#include "events/event_log.h"
#include "os/write_points.h"
#include "store/fault_vfs.h"

namespace freehold::events {
namespace {

constexpr uint64_t kKept = 12;

// Appends pairs, and what an agent sends and sends again, to a log that soon forgets the oldest.
class Appending {
 public:
  explicit Appending(os::FaultDisk& disk) : disk_(disk), sqlite_(disk) {
    EXPECT_TRUE(disk.make_directories("/state", 0700).ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
  }

  Result<void> open() {
    FH_ASSIGN(log_, EventLog::open(disk_, clock_, "/state/events.db", {.most_events = kKept}));
    return {};
  }
  void close() { log_.reset(); }

  void work() {
    for (int i = 0; i < 4; ++i) {
      append_pair();
      send_from_agent();
    }
  }

  void check() {
    auto page = log_->query({.limit = 1000});
    ASSERT_TRUE(page.ok()) << page.error().message();
    std::map<std::string, uint64_t> seen;
    uint64_t expected = page->oldest.value;
    for (const Event& event : page->events) {
      ASSERT_EQ(event.id.value, expected++) << "an id is missing between others";
      ASSERT_TRUE(seen.emplace(event.message, event.id.value).second) << event.message << " is there twice";
      if (auto given = given_.find(event.id.value); given != given_.end()) {
        ASSERT_EQ(event.message, given->second) << "an id that was given was used again";
      }
      if (event.message.ends_with("second") && event.id.value != page->oldest.value) {
        ASSERT_TRUE(seen.contains(event.message.substr(0, event.message.find(' ')) + " first")) << "half of a call";
      }
    }
    uint64_t newest = log_->newest()->value;
    if (!given_.empty()) {
      ASSERT_GE(newest, given_.rbegin()->first) << "an acknowledged event is lost";
    }
    for (const auto& [id, message] : given_) {
      if (id + kKept <= newest) continue;
      ASSERT_EQ(seen[message], id) << "an acknowledged event is lost";
    }
  }
  const std::vector<Error>& refusals() const { return refusals_; }

 private:
  void append_pair() {
    std::string name = "pair-" + std::to_string(++pairs_);
    std::vector<Event> pair(2, {.kind = "test", .subject = "web", .actor = "test"});
    pair[0].message = name + " first";
    pair[1].message = name + " second";
    auto ids = log_->append(pair);
    if (!ids) return refusals_.push_back(ids.error());
    for (size_t i = 0; i < 2; ++i) given_[(*ids)[i].value] = pair[i].message;
  }

  // What was not acknowledged is sent again, with one that is new.
  void send_from_agent() {
    ++made_;
    std::vector<SourceEvent> events;
    for (uint64_t sequence = acknowledged_ + 1; sequence <= made_; ++sequence) {
      Event event{.kind = "test", .subject = "web", .actor = "agent", .message = "sent-" + std::to_string(sequence)};
      events.push_back({sequence, event});
    }
    auto newest = log_->append_from("agent of this boot", events);
    if (!newest) return refusals_.push_back(newest.error());
    EXPECT_EQ(*newest, made_);
    acknowledged_ = *newest;
  }

  os::FaultDisk& disk_;
  store::FaultVfs sqlite_;
  os::FakeClock clock_;
  std::unique_ptr<EventLog> log_;
  uint64_t pairs_ = 0;
  uint64_t made_ = 0;
  uint64_t acknowledged_ = 0;
  std::map<uint64_t, std::string> given_;
  std::vector<Error> refusals_;
};

TEST(EventPower, LosesNothingAcknowledgedWhereverThePowerIsCut) { os::cut_power_everywhere<Appending>(2); }
TEST(EventPower, LosesNothingAfterAProcessWasKilled) { os::kill_everywhere<Appending>(); }
TEST(EventPower, RefusesWhatFindsNoRoomAndGoesOnWhenThereIsSome) { os::fill_disk_everywhere<Appending>(); }

}  // namespace
}  // namespace freehold::events
