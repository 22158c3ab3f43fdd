#include "gateway/static_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "gateway/byte_range.h"
#include "gateway/mime_type.h"

namespace freehold::gateway {
namespace {

using testing::HasSubstr;

class StaticFiles : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::string path = "/tmp/freehold-static-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    outside_ = path;
    folder_ = path + "/0123456789abcdef";
    ::mkdir(folder_.c_str(), 0700);
    ::mkdir((folder_ + "/docs").c_str(), 0700);
    ::mkdir((folder_ + "/bare").c_str(), 0700);
    std::ofstream(outside_ + "/secret.txt") << "secret";
    std::ofstream(folder_ + "/a.css") << "0123456789";
    std::ofstream(folder_ + "/docs/index.html") << "docs";
    for (const char* name : {"/.git", "/.well-known", "/docs/.hidden"}) {
      ::mkdir((folder_ + name).c_str(), 0700);
      std::ofstream(folder_ + name + "/config") << "text";
    }
    std::ofstream(folder_ + "/.env") << "secret";
    std::ofstream(folder_ + "/.well-known/.env") << "secret";
    ASSERT_EQ(::symlink("../secret.txt", (folder_ + "/link.txt").c_str()), 0);
    ASSERT_EQ(::symlink("..", (folder_ + "/up").c_str()), 0);
    ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
    auto root = StaticRoot::open(folder_);
    ASSERT_TRUE(root.ok());
    root_ = *std::move(root);
    if (GetParam()) root_->use_fallback();
  }

  StaticReply get(std::string_view below, StaticRequest request = {}) {
    const std::string path = "/site/" + std::string(below);
    request.path = path;
    request.below = below;
    return answer_static(*root_, request);
  }

  std::string outside_, folder_;
  std::unique_ptr<StaticRoot> root_;
};

TEST_P(StaticFiles, ServesWhatIsInTheFolder) {
  const StaticReply reply = get("a.css");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_length, 10U);
  EXPECT_THAT(reply.lines, HasSubstr("Content-Type: text/css; charset=utf-8\r\n"));
  EXPECT_EQ(get("docs/").status, 200);
}

TEST_P(StaticFiles, LetsNothingOut) {
  for (std::string_view path : {"../secret.txt", "docs/../../secret.txt", "link.txt", "up/secret.txt", "/etc/passwd",
                                "up", "pipe", "none", "a.css/", "a.css/x", "bare/", "docs/none", "..", "."}) {
    const StaticReply reply = get(path);
    EXPECT_TRUE(reply.status == 404 || path == ".") << path << " " << reply.status;
    EXPECT_FALSE(reply.has_body()) << path;
  }
  EXPECT_EQ(get(std::string("a.css\0x", 7)).status, 404);
  EXPECT_EQ(get(std::string(100000, 'x')).status, 404);
}

TEST_P(StaticFiles, ServesNothingHiddenButWhatIsMeantToBeKnown) {
  for (std::string_view path :
       {".git/config", ".env", ".git", "docs/.hidden/config", ".well-known/.env", ".well-knownx"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(get(".well-known/config").status, 200);
}

TEST_P(StaticFiles, SendsAFolderToItsNameWithASlash) {
  const StaticReply reply = get("docs", {.query = "?q=1"});
  EXPECT_EQ(reply.status, 301);
  EXPECT_EQ(reply.lines, "Location: /site/docs/?q=1\r\n");
}

TEST_P(StaticFiles, AnswersConditions) {
  const StaticReply first = get("a.css");
  const size_t at = first.lines.find("ETag: ") + 6;
  const std::string etag = first.lines.substr(at, first.lines.find('\r', at) - at);
  const size_t date_at = first.lines.find("Last-Modified: ") + 15;
  const std::string date = first.lines.substr(date_at, first.lines.find('\r', date_at) - date_at);
  EXPECT_EQ(get("a.css", {.if_none_match = etag}).status, 304);
  EXPECT_EQ(get("a.css", {.if_none_match = "\"x\", W/" + etag}).status, 304);
  EXPECT_EQ(get("a.css", {.if_none_match = "*"}).status, 304);
  EXPECT_EQ(get("a.css", {.if_none_match = "\"x\"", .if_modified_since = date}).status, 200);
  EXPECT_EQ(get("a.css", {.if_modified_since = date}).status, 304);
  EXPECT_EQ(get("a.css", {.if_modified_since = "Sun, 06 Nov 2044 08:49:37 GMT"}).status, 200);
  EXPECT_EQ(get("a.css", {.range = "bytes=0-1", .if_range = etag}).status, 206);
  EXPECT_EQ(get("a.css", {.range = "bytes=0-1", .if_range = "\"other\""}).status, 200);
}

TEST_P(StaticFiles, AnswersRanges) {
  StaticReply one = get("a.css", {.range = "bytes=2-4"});
  EXPECT_EQ(one.status, 206);
  EXPECT_THAT(one.lines, HasSubstr("Content-Range: bytes 2-4/10\r\n"));
  EXPECT_EQ(one.content_length, 3U);
  StaticReply none = get("a.css", {.range = "bytes=10-"});
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(none.lines, "Content-Range: bytes */10\r\n");
  StaticReply two = get("a.css", {.range = "bytes=0-0,-2"});
  uint64_t length = two.trailer.size();
  for (const StaticPart& part : two.parts) length += part.text.size() + part.length;
  EXPECT_EQ(two.content_length, length);
  EXPECT_EQ(get("a.css", {.get_or_head = false}).status, 405);
}

INSTANTIATE_TEST_SUITE_P(Ways, StaticFiles, testing::Bool(),
                         [](const auto& way) { return way.param ? "Stepwise" : "Openat2"; });

TEST(ByteRange, ReadsWhatTheRfcAllows) {
  auto ranges = [](std::string_view header, uint64_t size) { return parse_ranges(header, size).ranges; };
  EXPECT_EQ(ranges("bytes=0-499", 1000), (std::vector<ByteRange>{{0, 499}}));
  EXPECT_EQ(ranges("bytes=-500", 1000), (std::vector<ByteRange>{{500, 999}}));
  EXPECT_EQ(ranges("bytes=-5000", 1000), (std::vector<ByteRange>{{0, 999}}));
  EXPECT_EQ(ranges("bytes=9500-", 10000), (std::vector<ByteRange>{{9500, 9999}}));
  EXPECT_EQ(ranges("Bytes=0-0, ,-1", 10000), (std::vector<ByteRange>{{0, 0}, {9999, 9999}}));
  EXPECT_EQ(ranges("bytes=5-99999999999999999999999", 10), (std::vector<ByteRange>{{5, 9}}));
  EXPECT_EQ(parse_ranges("bytes=10-,-0", 10).outcome, RangeOutcome::kUnsatisfiable);
  for (std::string_view whole : {"", "bytes", "bytes=", "bytes=a-b", "bytes=5-2", "lines=1-2", "bytes=1", "bytes=--1",
                                 "bytes=0-9,0-9", "bytes=-1,+1-2", "bytes=1-2-3"}) {
    EXPECT_EQ(parse_ranges(whole, 10).outcome, RangeOutcome::kWhole) << whole;
  }
  std::string many = "bytes=0-0";
  for (int i = 0; i < 16; ++i) many += ",0-0";
  EXPECT_EQ(parse_ranges(many, 1000).outcome, RangeOutcome::kWhole);
}

TEST(MimeType, GoesByTheEnding) {
  EXPECT_EQ(mime_type("a/b.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(mime_type("a.tar.gz"), "application/gzip");
  EXPECT_EQ(mime_type("a.css/b"), "application/octet-stream");
  EXPECT_EQ(mime_type("7z"), "application/octet-stream");
  EXPECT_EQ(mime_type("x.7z"), "application/x-7z-compressed");
}

TEST(EncodePath, KeepsALocationOnThisHost) {
  EXPECT_EQ(encode_path("/a b/\xc3\xa4?"), "/a%20b/%C3%A4%3F");
  EXPECT_EQ(encode_path("//evil.example/x"), "/evil.example/x");
  EXPECT_EQ(encode_path("/\\evil"), "/%5Cevil");
}

}  // namespace
}  // namespace freehold::gateway
