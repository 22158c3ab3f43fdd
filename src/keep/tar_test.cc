#include "keep/tar.h"

#include <gmock/gmock.h>

#include "keep/zstd.h"
#include "os/random.h"

namespace freehold::keep {
namespace {

using os::TreeKind;

struct Kept {
  Member member;
  std::string data;
  bool operator==(const Kept&) const = default;
};

class Collector : public TarReader::Handler {
 public:
  Result<void> on_member(const Member& member) override {
    members.push_back({member, {}});
    return {};
  }
  Result<void> on_data(std::string_view bytes) override {
    members.back().data += bytes;
    return {};
  }
  Result<void> on_member_end() override {
    ++ended;
    return {};
  }
  std::vector<Kept> members;
  size_t ended = 0;
};

std::string archive_of(const std::vector<Kept>& members) {
  std::string out;
  TarWriter writer([&](std::string_view part) -> Result<void> {
    out += part;
    return {};
  });
  for (const Kept& kept : members) {
    auto begun = writer.begin(kept.member);
    EXPECT_TRUE(begun.ok()) << begun.error().message();
    for (size_t at = 0; at < kept.data.size(); at += 700)
      EXPECT_TRUE(writer.write(std::string_view(kept.data).substr(at, 700)).ok());
  }
  EXPECT_TRUE(writer.finish().ok());
  return out;
}

Result<void> read(std::string_view archive, Collector& collector, size_t piece = SIZE_MAX) {
  TarReader reader(collector);
  for (std::string_view left = archive; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
    FH_TRY(reader.write(left.substr(0, piece)));
  return reader.finish();
}

Kept file(std::string path, const std::string& data) {
  os::TreeEntry entry{.path = std::move(path), .mode = 0640, .owner = 1000, .group = 100};
  entry.modified = std::chrono::seconds(1'700'000'000) + Duration(5);
  entry.size = data.size();
  if (!data.empty()) entry.extents = {{0, data.size()}};
  return {{entry, "anna", "users"}, data};
}

std::vector<Kept> one_of_each() {
  Kept folder = file("a", "");
  folder.member.entry.kind = TreeKind::kFolder;
  folder.member.entry.mode = 02750;
  Kept link = file("a/link", "");
  link.member.entry.kind = TreeKind::kSymlink;
  link.member.entry.target = "../" + std::string(200, 'x');
  Kept same = file("a/same", "");
  same.member.entry.kind = TreeKind::kHardLink;
  same.member.entry.target = "a/file";
  Kept hosted = file("a/hosted", "of a user with a large number");
  hosted.member.entry.owner = hosted.member.entry.group = 1'900'000'001;
  hosted.member.user = std::string(100, 'u');
  Kept holes = file("a/holes", "12345678");
  holes.member.entry.size = 1'000'000;
  holes.member.entry.extents = {{100, 5}, {500'000, 3}};
  Kept full = file("a/full", "ab");
  full.member.entry.size = 9;
  full.member.entry.extents = {{7, 2}};
  Kept hole = file("a/hole", "");
  hole.member.entry.size = 77;
  return {folder,
          file("a/file", "hello"),
          file("a/empty", ""),
          file("a/block", std::string(512, 'b')),
          file("a/" + std::string(250, 'n') + "/" + std::string(250, 'm'), "long"),
          file("a/gr\xc3\xb6\xc3\x9f"
               "e\n",
               "odd"),
          link,
          same,
          hosted,
          holes,
          hole};
}

// Of the kinds that differ in form: small, to be changed byte by byte.
std::vector<Kept> few() {
  std::vector<Kept> all = one_of_each();
  return {all[0], all[1], all[6], all[9]};
}

TEST(Tar, GivesBackWhatItWasGivenInPiecesOfAnySize) {
  std::vector<Kept> members = one_of_each();
  std::string archive = archive_of(members);
  EXPECT_EQ(archive.size() % 512, 0u);
  for (size_t piece : {size_t{1}, size_t{511}, size_t{512}, SIZE_MAX}) {
    Collector collector;
    auto done = read(archive, collector, piece);
    ASSERT_TRUE(done.ok()) << done.error().message();
    EXPECT_EQ(collector.members, members);
    EXPECT_EQ(collector.ended, members.size());
  }
}

TEST(Tar, KnowsFilesLargerThanItsFieldHolds) {
  Kept large = file("large", "");
  large.member.entry.size = uint64_t{9} << 30;
  large.member.entry.extents = {{0, large.member.entry.size}};
  std::string head;
  TarWriter writer([&](std::string_view part) -> Result<void> {
    head += part;
    return {};
  });
  ASSERT_TRUE(writer.begin(large.member).ok());
  Collector collector;
  TarReader reader(collector);
  ASSERT_TRUE(reader.write(head).ok());
  ASSERT_EQ(collector.members.size(), 1u);
  EXPECT_EQ(collector.members[0].member, large.member);
}

TEST(Tar, RefusesAnArchiveThatIsCutAnywhere) {
  std::string archive = archive_of(few());
  for (size_t size = 0; size < archive.size(); ++size) {
    Collector collector;
    EXPECT_FALSE(read(std::string_view(archive).substr(0, size), collector).ok()) << size;
  }
  Collector collector;
  EXPECT_FALSE(read(archive + std::string(512, '\0'), collector).ok());
}

TEST(Tar, ReadsNothingThatItWouldNotWrite) {
  std::string archive = archive_of(few());
  for (size_t at = 0; at < archive.size(); ++at) {
    std::string changed = archive;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    Collector collector;
    // Another name or another byte of a file is an archive as well: that it is another is known by the layers around.
    if (!read(changed, collector).ok()) continue;
    EXPECT_EQ(archive_of(collector.members), changed) << at;
  }
}

TEST(Tar, RefusesNamesThatLeadOutside) {
  for (const char* path : {"", "/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a/."}) {
    TarWriter writer([](std::string_view) -> Result<void> { return {}; });
    EXPECT_FALSE(writer.begin(file(path, "").member).ok()) << path;
  }
  std::string archive = archive_of({file("aa/b", "")});
  for (size_t at = 0; (at = archive.find("aa/b", at)) != std::string::npos; ++at) archive.replace(at, 4, "../b");
  Collector collector;
  EXPECT_FALSE(read(archive, collector).ok());
  EXPECT_TRUE(collector.members.empty());
}

TEST(Tar, RefusesAMemberThatGotLessOrMoreThanItHas) {
  TarWriter writer([](std::string_view) -> Result<void> { return {}; });
  ASSERT_TRUE(writer.begin(file("a", "12345").member).ok());
  ASSERT_TRUE(writer.write("123").ok());
  EXPECT_FALSE(writer.finish().ok());
  EXPECT_FALSE(writer.begin(file("b", "").member).ok());
  EXPECT_FALSE(writer.write("4567").ok());
}

std::string compressed(std::string_view bytes) {
  std::string out;
  Compressor compressor([&](std::string_view part) -> Result<void> {
    out += part;
    return {};
  });
  EXPECT_TRUE(compressor.write(bytes).ok());
  EXPECT_TRUE(compressor.finish().ok());
  return out;
}

Result<std::string> decompressed(std::string_view bytes, size_t piece) {
  std::string out;
  Decompressor decompressor([&](std::string_view part) -> Result<void> {
    out += part;
    return {};
  });
  for (std::string_view left = bytes; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
    FH_TRY(decompressor.write(left.substr(0, piece)));
  FH_TRY(decompressor.finish());
  return out;
}

TEST(Zstd, GivesBackWhatItWasGivenAndRefusesWhatWasCut) {
  os::SeededRandom random(5);
  for (const std::string& bytes : {std::string(), std::string(5'000'000, 'a'), random.bytes(300'000)}) {
    std::string small = compressed(bytes);
    for (size_t piece : {size_t{1000}, SIZE_MAX}) EXPECT_EQ(*decompressed(small, piece), bytes);
    EXPECT_FALSE(decompressed(std::string_view(small).substr(0, small.size() - 1), SIZE_MAX).ok());
    EXPECT_FALSE(decompressed(small + "x", SIZE_MAX).ok());
    EXPECT_FALSE(decompressed(small + small, 100).ok()) << "one frame, and no more";
  }
  EXPECT_FALSE(decompressed("no frame at all", SIZE_MAX).ok());
}

}  // namespace
}  // namespace freehold::keep
