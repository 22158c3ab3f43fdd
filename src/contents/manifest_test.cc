#include "contents/manifest.h"

#include <gmock/gmock.h>

#include "codec/hash.h"

namespace freehold::contents {
namespace {

using testing::HasSubstr;

ManifestEntry file(std::string path, uint64_t size = 1) {
  return {.path = std::move(path), .size = size, .digest = codec::sha256_hex("x")};
}
ManifestEntry link(std::string path, std::string target) {
  return {.path = std::move(path), .kind = Kind::kLink, .target = std::move(target)};
}

TEST(Manifest, IsTheSameAfterItsCanonicalText) {
  Manifest manifest{.entries = {file("bin/web"), link("current", "bin"), {.path = "empty", .kind = Kind::kFolder}}};
  manifest.entries[0].executable = true;
  auto again = Manifest::parse(manifest.canonical(), {});
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(*again, manifest);
  EXPECT_EQ(again->digest(), manifest.digest());
}

TEST(Manifest, HasAnotherDigestForEveryDifference) {
  Manifest one{.entries = {file("a")}};
  Manifest two = one;
  two.entries[0].executable = true;
  EXPECT_NE(one.digest(), two.digest());
  two = one;
  two.entries[0].digest = codec::sha256_hex("y");
  EXPECT_NE(one.digest(), two.digest());
}

// The canonical form names contents for ever: a change of it would make every kept generation look different.
TEST(Manifest, HasACanonicalTextThatDoesNotChange) {
  EXPECT_EQ(Manifest{.entries = {file("a")}}.canonical(),
            R"({"version":1,"entries":[{"path":"a","kind":"file","executable":false,"size":1,"digest":")"
            R"(2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","target":""}]})");
}

TEST(Manifest, RefusesWhatCouldReachOutside) {
  for (const char* path : {"", "/etc/passwd", "../a", "a/../b", "a//b", "a/", ".", "a/."}) {
    EXPECT_EQ(check_manifest({.entries = {file(path)}}, {}).error().code(), ErrorCode::kInvalid) << path;
  }
  for (const char* target : {"", "/etc", "..", "../../x", "x/../../y", "x/.."}) {
    EXPECT_EQ(check_manifest({.entries = {link("a", target)}}, {}).error().code(), ErrorCode::kInvalid) << target;
  }
  for (const char* target : {"b", "./b", "."})
    EXPECT_TRUE(check_manifest({.entries = {link("a", target)}}, {})) << target;
  EXPECT_EQ(*resolve_link("x/y/a", "../b/c"), "x/b/c");
  EXPECT_EQ(*resolve_link("x/a", ".."), "");
}

TEST(Manifest, RefusesAFileBelowAFileOrALink) {
  EXPECT_FALSE(check_manifest({.entries = {file("a"), file("a/b")}}, {}).ok());
  EXPECT_FALSE(check_manifest({.entries = {link("a", "b"), file("a/c/d")}}, {}).ok());
}

TEST(Manifest, RefusesEntriesOutOfOrderOrTwice) {
  EXPECT_FALSE(check_manifest({.entries = {file("b"), file("a")}}, {}).ok());
  EXPECT_FALSE(check_manifest({.entries = {file("a"), file("a")}}, {}).ok());
}

TEST(Manifest, HoldsItsLimits) {
  EXPECT_EQ(check_manifest({.entries = {file("a"), file("b")}}, {.entries = 1}).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(check_manifest({.entries = {file("a/b/c")}}, {.depth = 2}).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(check_manifest({.entries = {file("a", 6), file("b", 5)}}, {.total = Bytes{10}}).error().code(),
            ErrorCode::kExhausted);
  EXPECT_EQ(check_manifest({.entries = {file("a", UINT64_MAX), file("b", 2)}}, {}).error().code(),
            ErrorCode::kExhausted)
      << "the sum does not wrap";
}

TEST(Manifest, RefusesTextThatIsNone) {
  EXPECT_FALSE(Manifest::parse("", {}).ok());
  EXPECT_FALSE(Manifest::parse(R"({"version":1,"entries":[{"path":"a","digest":"zz"}]})", {}).ok());
  auto newer = Manifest::parse(R"({"version":2,"entries":[]})", {});
  EXPECT_EQ(newer.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(newer.error().message(), HasSubstr("version 2"));
}

}  // namespace
}  // namespace freehold::contents
