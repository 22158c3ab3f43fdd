#include "keep/backup.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/restore.h"
#include "os/fault_disk.h"
#include "store/sqlite_store.h"

namespace freehold::keep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kCheap = 2;  // work factor

// The machine's disk, whose changes fail from the nth on; or that one alone.
class FailingDisk : public os::Disk {
 public:
  explicit FailingDisk(os::Disk& disk) : disk_(disk) {}
  uint64_t changes = 0;
  uint64_t fail_at = 0;
  bool stays_so = false;

  Result<std::string> read(const std::string& path, Bytes limit) override { return disk_.read(path, limit); }
  Result<std::unique_ptr<os::ReadableFile>> open(const std::string& path) override { return disk_.open(path); }
  Result<std::unique_ptr<os::WritableFile>> create(const std::string& path, mode_t mode) override {
    FH_TRY(change());
    return wrap(disk_.create(path, mode));
  }
  Result<std::unique_ptr<os::WritableFile>> open_append(const std::string& path, mode_t mode) override {
    FH_TRY(change());
    return wrap(disk_.open_append(path, mode));
  }
  Result<os::FileInfo> info(const std::string& path) override { return disk_.info(path); }
  Result<std::vector<os::FileInfo>> list(const std::string& path) override { return disk_.list(path); }
  Result<std::string> read_link(const std::string& path) override { return disk_.read_link(path); }
  Result<void> make_symlink(const std::string& target, const std::string& path) override {
    FH_TRY(change());
    return disk_.make_symlink(target, path);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    FH_TRY(change());
    return disk_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    FH_TRY(stays_so ? change() : Result<void>());
    return disk_.remove(path);
  }
  Result<void> remove_tree(const std::string& path) override {
    FH_TRY(stays_so ? change() : Result<void>());
    return disk_.remove_tree(path);
  }
  Result<void> make_directories(const std::string& path, mode_t mode) override {
    FH_TRY(change());
    return disk_.make_directories(path, mode);
  }
  Result<void> sync_directory(const std::string& path) override {
    FH_TRY(change());
    return disk_.sync_directory(path);
  }
  Result<void> set_mode(const std::string& path, mode_t mode) override {
    FH_TRY(change());
    return disk_.set_mode(path, mode);
  }
  Result<void> set_owner(const std::string& path, uid_t owner, gid_t group) override {
    FH_TRY(change());
    return disk_.set_owner(path, owner, group);
  }
  Result<Bytes> free_space(const std::string& path) override { return disk_.free_space(path); }

 private:
  class File : public os::WritableFile {
   public:
    File(FailingDisk& disk, std::unique_ptr<os::WritableFile> file) : disk_(disk), file_(std::move(file)) {}
    Result<void> append(std::string_view bytes) override {
      FH_TRY(disk_.change());
      return file_->append(bytes);
    }
    Result<void> sync() override {
      FH_TRY(disk_.change());
      return file_->sync();
    }

   private:
    FailingDisk& disk_;
    std::unique_ptr<os::WritableFile> file_;
  };
  Result<std::unique_ptr<os::WritableFile>> wrap(Result<std::unique_ptr<os::WritableFile>> file) {
    if (!file) return file;
    return std::unique_ptr<os::WritableFile>(std::make_unique<File>(*this, *std::move(file)));
  }
  Result<void> change() {
    ++changes;
    bool fails = fail_at != 0 && (stays_so ? changes >= fail_at : changes == fail_at);
    return fails ? Error(ErrorCode::kExhausted, "no space left") : Result<void>();
  }

  os::Disk& disk_;
};

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    char name[] = "/tmp/freehold-backup-XXXXXX";
    folder_ = mkdtemp(name);
    layout_.root = folder_ + "/state";
    file_ = folder_ + "/file";
    for (const std::string& path :
         {layout_.control(), layout_.keys(), layout_.agent(), layout_.volumes() + "/web/data"})
      EXPECT_TRUE(real_.make_directories(path, 0700).ok());
    put(layout_.seal_key(), "the key of secrets");
    put(layout_.volumes() + "/web/data/file", "of a service");
    content_ = add_content("a program");
    auto store = store::open_sqlite_store(real_, layout_.state_database(), {});
    EXPECT_TRUE((*store)->commit(store::Write().put("hello", "world")).ok());
    view_ = {.organisation = "town", .generation = 3, .generations = 2, .contents = {content_}};
  }
  ~BackupTest() override { (void)real_.remove_tree(folder_).ok(); }

  void put(const std::string& path, std::string_view bytes) {
    ASSERT_TRUE(real_.write_durably(path, bytes, 0600).ok());
  }
  std::string add_content(std::string_view bytes) {
    std::string digest = codec::sha256_hex(bytes);
    std::string folder = layout_.contents() + "/" + digest.substr(0, 2);
    EXPECT_TRUE(real_.make_directories(folder, 0700).ok());
    put(folder + "/" + digest, bytes);
    return digest;
  }
  BackupOptions options() {
    BackupOptions options;
    options.layout = layout_;
    options.file = file_;
    options.made_by = "a test";
    options.work_factor = kCheap;
    options.look = [this](const std::string&) -> Result<StateView> { return view_; };
    return options;
  }
  Result<Summary> keep(os::Disk& disk) { return back_up(disk, random_, WallTime(), key_, options()); }
  Result<Checked> check(const std::string& file) { return check_backup(real_, file, key_, {}); }
  Result<void> bring_back(os::Disk& disk, const std::string& place) {
    FH_ASSIGN(Checked checked, check(file_));
    RestoreOptions restoring;
    restoring.state = place;
    restoring.registry = folder_ + "/registry/uids";
    return restore(disk, file_, checked, restoring);
  }
  // What lies beside the file that should not.
  std::vector<std::string> left_over() {
    std::vector<std::string> out;
    auto entries = real_.list(folder_);
    for (const os::FileInfo& entry : *entries) {
      if (entry.name != "state" && entry.name != "file" && entry.name != "registry") out.push_back(entry.name);
    }
    for (const char* name : {"backup.state.db", "backup.events.db"}) {
      if (real_.exists(layout_.root + "/" + name)) out.push_back(name);
    }
    return out;
  }
  // A file with these members, whatever they are; the rules are not asked.
  void write_raw(const std::vector<std::pair<std::string, std::string>>& members) {
    std::string out;
    AgeWriter age = *AgeWriter::begin(key_, random_, kCheap, [&](std::string_view bytes) -> Result<void> {
      out += bytes;
      return {};
    });
    Compressor compressor([&](std::string_view bytes) { return age.write(bytes); });
    TarWriter tar([&](std::string_view bytes) { return compressor.write(bytes); });
    for (const auto& [name, bytes] : members) {
      Member member{.entry = {.path = name, .size = bytes.size(), .extents = {{0, bytes.size()}}}};
      ASSERT_TRUE(tar.begin(member).ok() && tar.write(bytes).ok());
    }
    ASSERT_TRUE(tar.finish().ok() && compressor.finish().ok() && age.finish().ok());
    put(file_, out);
  }
  std::string message_of_check() {
    auto checked = check(file_);
    return checked ? "accepted" : checked.error().message();
  }

  os::Disk& real_ = os::system_disk();
  os::SeededRandom random_{11};
  Key key_ = Key::generate(random_);
  std::string folder_, file_, content_;
  model::Layout layout_;
  StateView view_;
};

TEST_F(BackupTest, ComesBackAsItWas) {
  auto kept = keep(real_);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_THAT(left_over(), ElementsAre());
  std::string place = folder_ + "/elsewhere/town";
  auto restored = bring_back(real_, place);
  ASSERT_TRUE(restored.ok()) << restored.error().message();
  model::Layout there{place};
  auto store = store::open_sqlite_store(real_, there.state_database(), {});
  ASSERT_TRUE(store.ok()) << store.error().message();
  EXPECT_EQ((*store)->get("hello")->value, "world");
  EXPECT_EQ(*real_.read(there.seal_key(), Bytes{100}), "the key of secrets");
  EXPECT_EQ(*real_.read(there.volumes() + "/web/data/file", Bytes{100}), "of a service");
  EXPECT_EQ(*contents::Contents(real_, there.contents()).read(content_, Bytes{100}), "a program");
  EXPECT_EQ(real_.info(place)->mode, 0755u);
  EXPECT_EQ(real_.info(there.keys())->mode, 0700u);
  EXPECT_FALSE(real_.exists(place + ".restoring"));
}

TEST_F(BackupTest, IsThereWholeOrNotAtAllWhicheverChangeFails) {
  FailingDisk counting(real_);
  ASSERT_TRUE(keep(counting).ok());
  ASSERT_TRUE(real_.remove(file_).ok());
  for (uint64_t at = 1; at <= counting.changes; ++at) {
    FailingDisk disk(real_);
    disk.fail_at = at;
    auto kept = keep(disk);
    EXPECT_FALSE(kept.ok()) << at;
    // Once it is in its place, only that a power cut leaves it there is in doubt.
    if (at < counting.changes) {
      EXPECT_FALSE(real_.exists(file_)) << at;
    }
    EXPECT_THAT(left_over(), ElementsAre()) << at;
    (void)real_.remove(file_).ok();
  }
}

TEST_F(BackupTest, OneThatWasKilledAnywhereOpensAsNothingAndStandsInNobodysWay) {
  FailingDisk counting(real_);
  ASSERT_TRUE(keep(counting).ok());
  ASSERT_TRUE(real_.remove(file_).ok());
  for (uint64_t at = 1; at < counting.changes; ++at) {
    FailingDisk disk(real_);
    disk.fail_at = at;
    disk.stays_so = true;
    EXPECT_FALSE(keep(disk).ok()) << at;
    EXPECT_FALSE(real_.exists(file_)) << at;
  }
  auto kept = keep(real_);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_THAT(left_over(), ElementsAre());
  EXPECT_TRUE(check(file_).ok());
}

TEST_F(BackupTest, IsRefusedWhereverItIsCutAndWhateverByteIsAnother) {
  ASSERT_TRUE(keep(real_).ok());
  std::string whole = *real_.read(file_, Bytes{1 << 20});
  os::FaultDisk memory;
  auto opens = [&](std::string_view bytes) {
    EXPECT_TRUE((*memory.create("/file", 0600))->append(bytes).ok());
    return check_backup(memory, "/file", key_, {}).ok();
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    EXPECT_FALSE(opens(std::string_view(whole).substr(0, at))) << "cut at " << at;
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    EXPECT_FALSE(opens(changed)) << "byte " << at;
  }
  EXPECT_TRUE(opens(whole));
}

TEST_F(BackupTest, IsNotHalfRestoredWhicheverChangeFails) {
  ASSERT_TRUE(keep(real_).ok());
  std::string place = folder_ + "/state2";
  FailingDisk counting(real_);
  ASSERT_TRUE(bring_back(counting, place).ok());
  ASSERT_TRUE(real_.remove_tree(place).ok());
  for (uint64_t at = 1; at < counting.changes; ++at) {
    FailingDisk disk(real_);
    disk.fail_at = at;
    bool done = bring_back(disk, place).ok();
    // Once it is in its place all of it is there, whatever fails then.
    if (real_.exists(place)) {
      EXPECT_THAT(left_over(), ElementsAre("state2")) << at;
      EXPECT_EQ(*real_.read(place + "/volumes/web/data/file", Bytes{100}), "of a service");
      EXPECT_TRUE(real_.exists(place + "/control/state.db") && real_.exists(place + "/keys/seal"));
      ASSERT_TRUE(real_.remove_tree(place).ok());
      continue;
    }
    EXPECT_FALSE(done) << at;
    EXPECT_THAT(left_over(), ElementsAre()) << at;
  }
}

TEST_F(BackupTest, RestoresOverNothing) {
  ASSERT_TRUE(keep(real_).ok());
  auto refused = bring_back(real_, layout_.root);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  ASSERT_TRUE(real_.make_directories(folder_ + "/empty", 0755).ok());
  EXPECT_TRUE(bring_back(real_, folder_ + "/empty").ok()) << "a folder with nothing in it is in nobody's way";
}

TEST_F(BackupTest, RestoresNoFileThatIsAnotherThanWasChecked) {
  ASSERT_TRUE(keep(real_).ok());
  Checked checked = *check(file_);
  put(layout_.volumes() + "/web/data/file", "meanwhile");
  ASSERT_TRUE(real_.remove(file_).ok());
  ASSERT_TRUE(keep(real_).ok());
  RestoreOptions restoring;
  restoring.state = folder_ + "/state2";
  restoring.registry = folder_ + "/registry/uids";
  EXPECT_FALSE(restore(real_, file_, checked, restoring).ok());
  EXPECT_THAT(left_over(), ElementsAre());
}

TEST_F(BackupTest, TakesANewerMomentIfWhatTheFirstNamedWasRemovedMeanwhile) {
  std::string newer = add_content("the next program");
  int looks = 0;
  BackupOptions racing = options();
  racing.look = [&](const std::string&) -> Result<StateView> {
    StateView view = view_;
    // Named when the first copy was made, removed with its generation before it is read.
    if (++looks == 1) view.contents.insert(std::string(64, 'a'));
    if (looks == 2) view.contents = {content_, newer};
    return view;
  };
  auto kept = back_up(real_, random_, WallTime(), key_, racing);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(kept->lost.count, 0u);
  EXPECT_EQ(kept->contents, 2u);
}

TEST_F(BackupTest, NamesContentsThatAreLostOrDamaged) {
  std::string damaged = add_content("whole");
  put(layout_.contents() + "/" + damaged.substr(0, 2) + "/" + damaged, "whale");
  view_.contents.insert(damaged);
  view_.contents.insert(std::string(64, 'a'));
  auto kept = keep(real_);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_EQ(kept->lost.count, 2u);
  EXPECT_TRUE(check(file_).ok());
}

TEST_F(BackupTest, KeepsAFolderThatHasSeveralNamesOrLiesInAnotherOnce) {
  std::string outside = folder_ + "/state/outside";
  ASSERT_TRUE(real_.make_directories(outside + "/inner", 0700).ok());
  put(outside + "/inner/file", "x");
  view_.volumes = {{"a", "one", outside},
                   {"b", "two", outside},
                   {"c", "three", outside + "/inner"},
                   {"d", "gone", folder_ + "/gone"}};
  auto kept = keep(real_);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  std::vector<std::string> names;
  for (const KeptVolume& volume : kept->volumes) names.push_back(volume.service + "/" + volume.name);
  EXPECT_THAT(names, ElementsAre("a/one", "web/data"));
}

TEST_F(BackupTest, LeavesItsOwnFileOutOfAVolumeThatItIsWrittenTo) {
  file_ = layout_.volumes() + "/web/data/backup";
  auto kept = keep(real_);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_EQ(kept->changed.count, 0u);
  EXPECT_TRUE(check(file_).ok());
}

TEST_F(BackupTest, GivesFilesToTheUsersOfThisMachine) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: files change owners";
  std::string file = layout_.volumes() + "/web/data/file";
  ASSERT_TRUE(real_.write_durably(layout_.user_ids(), "1900000512 freehold.control\n1900000514 web\n", 0600).ok());
  ASSERT_TRUE(real_.set_owner(file, 1900000514, 1900000514).ok());
  ASSERT_TRUE(keep(real_).ok());
  std::string place = folder_ + "/state2";
  auto restored = bring_back(real_, place);
  ASSERT_TRUE(restored.ok()) << restored.error().message();
  model::Layout there{place};
  auto ids = os::UserRange::read(real_, there.user_ids());
  EXPECT_EQ(real_.info(there.volumes() + "/web/data/file")->owner, (*ids)["web"]);
  EXPECT_EQ(real_.info(there.state_database())->owner, (*ids)["freehold.control"]);
  EXPECT_EQ(real_.info(there.seal_key())->owner, (*ids)["freehold.control"]);
  std::string registry = *real_.read(folder_ + "/registry/uids", Bytes{1000});
  EXPECT_THAT(registry, testing::EndsWith(" " + place + "\n")) << "nobody else gets them";
}

TEST_F(BackupTest, GivesWhatWasKeptWithoutRootToTheServicesItBelongsTo) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: files change owners";
  ASSERT_TRUE(real_.set_owner(layout_.volumes() + "/web/data/file", 1000, 1000).ok());
  ASSERT_TRUE(keep(real_).ok());
  std::string place = folder_ + "/state2";
  ASSERT_TRUE(bring_back(real_, place).ok());
  model::Layout there{place};
  auto ids = os::UserRange::read(real_, there.user_ids());
  EXPECT_EQ(real_.info(there.volumes() + "/web/data/file")->owner, (*ids)["web"]);
}

TEST_F(BackupTest, RestoresAVolumeToNoPlaceThatIsNone) {
  ASSERT_TRUE(keep(real_).ok());
  Checked checked = *check(file_);
  RestoreOptions restoring;
  restoring.state = folder_ + "/state2";
  restoring.registry = folder_ + "/registry/uids";
  for (const KeptVolume& volume : std::vector<KeptVolume>{{"../outside", "data", ""},
                                                          {"web", "..", ""},
                                                          {"", "data", ""},
                                                          {"web", "data", folder_ + "/x/../outside"},
                                                          {"web", "data", "outside"},
                                                          {"web", "data", "/"}}) {
    checked.summary.volumes = {volume};
    auto restored = restore(real_, file_, checked, restoring);
    ASSERT_FALSE(restored.ok()) << volume.service << volume.path;
    EXPECT_EQ(restored.error().code(), ErrorCode::kCorrupt);
    EXPECT_FALSE(real_.exists(folder_ + "/outside"));
  }
}

TEST_F(BackupTest, HoldsTheMembersToTheirRules) {
  std::pair<std::string, std::string> format{names::kFormat, "freehold backup 1\n"};
  Summary nothing;
  std::pair<std::string, std::string> empty{names::kSummary, codec::to_json(nothing).dump()};
  write_raw({format, empty});
  EXPECT_EQ(message_of_check(), "accepted");
  write_raw({{std::string(names::kFormat), "freehold backup 2\n"}, empty});
  EXPECT_THAT(message_of_check(), HasSubstr("newer Freehold (format 2"));
  EXPECT_EQ(check(file_).error().code(), ErrorCode::kUnsupported);
  for (const std::vector<std::pair<std::string, std::string>>& wrong :
       std::vector<std::vector<std::pair<std::string, std::string>>>{
           {empty},
           {format},
           {{std::string(names::kFormat), "freehold backup x\n"}, empty},
           {format, {"state/control/state.db", "x"}, empty},
           {format, {"etc/passwd", "x"}, empty},
           {format, {"state/agent/lock", "x"}, empty},
           {format, {"volumes/web", "x"}, empty},
           {format, {std::string(names::kContents) + "/aa/" + std::string(64, 'a'), "x"}, empty},
           {format, {std::string(names::kSummary), "{"}},
           {format, empty, {"state/keys/seal", "x"}},
           {format, empty, empty}}) {
    write_raw(wrong);
    EXPECT_THAT(message_of_check(), HasSubstr("no backup that Freehold made"));
  }
}

}  // namespace
}  // namespace freehold::keep
