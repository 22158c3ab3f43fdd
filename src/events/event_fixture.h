// What the tests of events share: a log in a folder of its own, on a clock that stands still.
#pragma once

#include <gmock/gmock.h>
#include <stdlib.h>

#include "events/event_log.h"

namespace freehold::events {

class EventLogTest : public testing::Test {
 protected:
  EventLogTest() {
    char name[] = "/tmp/freehold-events-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/events.db";
  }
  ~EventLogTest() override {
    log_.reset();
    (void)disk_.remove_tree(folder_).ok();
  }
  void open(EventLog::Options options = {}) {
    log_.reset();
    auto opened = EventLog::open(disk_, clock_, path_, options);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    log_ = *std::move(opened);
  }
  static Event event(std::string kind, std::string subject = "web", std::string message = "") {
    return {.kind = std::move(kind), .subject = std::move(subject), .actor = "test", .message = std::move(message)};
  }
  uint64_t add(const Event& added) {
    auto id = log_->append_one(added);
    EXPECT_TRUE(id.ok()) << (id ? "" : id.error().message());
    return id ? id->value : 0;
  }
  std::vector<uint64_t> ids(const EventQuery& query) {
    std::vector<uint64_t> out;
    auto page = log_->query(query);
    EXPECT_TRUE(page.ok()) << (page ? "" : page.error().message());
    if (page) {
      for (const Event& found : page->events) out.push_back(found.id.value);
    }
    return out;
  }

  os::Disk& disk_ = os::system_disk();
  os::FakeClock clock_;
  std::string folder_;
  std::string path_;
  std::unique_ptr<EventLog> log_;
};

}  // namespace freehold::events
