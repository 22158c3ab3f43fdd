#include "agent/journal.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "os/fault_disk.h"

namespace freehold::agent {
namespace {

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    char name[] = "/tmp/freehold-journal-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/journal";
  }
  ~JournalTest() override { (void)os::system_disk().remove_tree(folder_).ok(); }
  Journal open() { return *Journal::open(os::system_disk(), clock_, path_); }

  os::FakeClock clock_;
  std::string folder_;
  std::string path_;
};

TEST_F(JournalTest, KeepsWhatWasNotAcknowledged) {
  {
    Journal journal = open();
    journal.add("instance.started", "web.1", "started");
    journal.add("instance.ended", "web.1", "ended");
  }
  Journal journal = open();
  ASSERT_EQ(journal.pending().size(), 2u);
  journal.acknowledge(1);
  EXPECT_EQ(journal.pending().front().kind, "instance.ended");
}

TEST_F(JournalTest, NeverUsesASequenceNumberTwice) {
  {
    Journal journal = open();
    journal.add("a", "s", "m");
    journal.acknowledge(1);
  }
  Journal journal = open();
  EXPECT_TRUE(journal.pending().empty());
  journal.add("b", "s", "m");
  EXPECT_EQ(journal.pending().front().sequence, 2u);
}

TEST_F(JournalTest, DropsATornLastLine) {
  {
    Journal journal = open();
    journal.add("a", "s", "m");
  }
  auto file = os::system_disk().open_append(path_, 0600);
  ASSERT_TRUE((*file)->append("{\"sequence\":9,\"ki").ok());
  EXPECT_EQ(open().pending().size(), 1u);
}

TEST_F(JournalTest, ItsFileIsBoundedToo) {
  Journal journal = open();
  for (size_t i = 0; i < 5 * Journal::kMostPending; ++i) journal.add("a", "s", "m");
  uint64_t most = Journal::kMostPending * 200;
  EXPECT_LT(os::system_disk().info(path_)->size, most);
  EXPECT_EQ(open().pending().size(), journal.pending().size()) << "and holds all that is pending";
}

TEST_F(JournalTest, AFullDiskHoldsNothingUp) {
  os::FaultDisk disk;
  ASSERT_TRUE(disk.make_directories("/agent", 0700).ok());
  {
    Journal journal = *Journal::open(disk, clock_, "/agent/journal");
    journal.add("a", "s", "first");
    disk.set_capacity(Bytes{100});
    journal.add("b", "s", "second");
    EXPECT_EQ(journal.pending().size(), 2u);
  }
  auto journal = Journal::open(disk, clock_, "/agent/journal");
  ASSERT_TRUE(journal.ok()) << "the next agent comes up: " << journal.error().message();
  disk.set_capacity(Bytes{1 << 20});
  journal->add("c", "s", "third");
  size_t pending = journal->pending().size();
  EXPECT_EQ(Journal::open(disk, clock_, "/agent/journal")->pending().size(), pending) << "written when there is room";
}

TEST_F(JournalTest, IsBoundedAndSaysWhatItDropped) {
  Journal journal = open();
  for (size_t i = 0; i < Journal::kMostPending + 1; ++i) journal.add("a", "s", "m");
  EXPECT_LE(journal.pending().size(), Journal::kMostPending);
  uint64_t before = 0;
  bool said = false;
  for (const auto& event : journal.pending()) {
    EXPECT_GT(event.sequence, before);
    before = event.sequence;
    said = said || event.kind == "events.dropped";
  }
  EXPECT_TRUE(said);
}

}  // namespace
}  // namespace freehold::agent
