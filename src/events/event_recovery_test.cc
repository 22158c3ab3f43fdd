// The event log when its file, its disk or its process fails.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "events/event_fixture.h"
#include "os/fd.h"
#include "store/sqlite.h"

namespace freehold::events {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(EventLogTest, SetsADamagedFileAsideAndSaysSoWithoutUsingAnIdAgain) {
  open();
  for (int i = 0; i < 50; ++i) add(event("one", "web", std::string(2000, 'x')));
  for (int round = 0; round < 2; ++round) {
    EventId before = *log_->newest();
    log_.reset();
    ASSERT_TRUE(disk_.write_durably(path_, std::string(8192, 'x'), 0600).ok());
    open();
    auto page = log_->query({});
    ASSERT_EQ(page->events.size(), 1u);
    EXPECT_EQ(page->events[0].kind, "events.damaged");
    EXPECT_THAT(page->events[0].message, HasSubstr("events.db.damaged"));
    EXPECT_GT(page->events[0].id, before);
    EXPECT_TRUE(disk_.exists(path_ + ".damaged"));
  }
}

TEST_F(EventLogTest, UsesNoIdAgainWhenItsFileIsMissing) {
  open();
  add(event("one"));
  log_.reset();
  for (const char* end : {"", "-wal", "-shm"}) (void)disk_.remove(path_ + end).ok();
  open();
  EXPECT_GT(add(event("two")), 1u);
}

TEST_F(EventLogTest, GoesOnWhenTheFileOfIdsCannotBeRead) {
  open();
  add(event("one"));
  ASSERT_TRUE(disk_.write_durably(path_ + ".ids", "x", 0600).ok());
  open();
  EXPECT_EQ(add(event("two")), 2u);
  log_.reset();
  EXPECT_THAT(*disk_.read(path_ + ".ids", Bytes{64}), HasSubstr("10003")) << "and is written again";
}

TEST_F(EventLogTest, LeavesTheLogOfANewerFreeholdAlone) {
  open();
  add(event("one"));
  log_.reset();
  {
    constexpr std::array<std::string_view, 2> kNewer = {"", "SELECT 1"};
    ASSERT_TRUE(store::Database::open(disk_, path_, {.schema = {.name = "events", .steps = kNewer}}).ok());
  }
  EXPECT_EQ(EventLog::open(disk_, clock_, path_, {}).error().code(), ErrorCode::kUnsupported);
  EXPECT_FALSE(disk_.exists(path_ + ".damaged"));
}

TEST_F(EventLogTest, LosesNothingAcknowledgedWhenKilled) {
  uint64_t seen = 0;
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    os::Fd reader(ends[0]);
    os::Fd writer(ends[1]);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto log = EventLog::open(disk_, clock_, path_, {.most_events = 30});
      if (!log) _exit(1);
      std::vector<Event> two(2, event("one"));
      for (;;) {
        auto given = (*log)->append(two);
        if (!given || ::write(writer.get(), &given->back(), sizeof(EventId)) != sizeof(EventId)) _exit(2);
      }
    }
    writer.reset();
    EventId id;
    for (int acknowledged = 0; acknowledged < 5 + round * 3; ++acknowledged) {
      ASSERT_EQ(::read(reader.get(), &id, sizeof id), static_cast<ssize_t>(sizeof id));
    }
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(reader.get(), &id, sizeof id) == static_cast<ssize_t>(sizeof id)) continue;
    ASSERT_GT(id.value, seen);
    open({.most_events = 30});
    seen = log_->newest()->value;
    ASSERT_GE(seen, id.value);
    ASSERT_EQ(seen % 2, 0u) << "half of a call";
    auto kept = ids({});
    ASSERT_EQ(kept.size(), std::min<uint64_t>(seen, 30));
    ASSERT_EQ(kept.back(), seen);
    log_.reset();
  }
}

TEST_F(EventLogTest, RefusesToAppendWhenItCannotReserveIds) {
  open();
  log_.reset();
  ASSERT_TRUE(disk_.remove_tree(path_ + ".ids").ok());
  open();
  // A folder where the file of ids should be written stands for any disk that refuses.
  ASSERT_TRUE(disk_.make_directories(path_ + ".ids/x", 0700).ok());
  EXPECT_FALSE(log_->append_one(event("one")).ok());
  EXPECT_THAT(ids({}), ElementsAre());
  ASSERT_TRUE(disk_.remove_tree(path_ + ".ids").ok());
  EXPECT_EQ(add(event("one")), 1u);
}

}  // namespace
}  // namespace freehold::events
