#include "http/path.h"

#include <gtest/gtest.h>

namespace freehold::http {
namespace {

std::string normal(std::string_view encoded) {
  std::string buffer;
  auto path = normalise_path(encoded, buffer);
  return path ? std::string(*path) : "refused";
}

TEST(NormalisePath, LeavesWhatIsNormalWhereItIs) {
  std::string buffer;
  for (std::string_view path : {"/", "/a", "/a/b.html", "/a/", "/a.b/c..d", "/\xc3\xa4"}) {
    auto same = normalise_path(path, buffer);
    ASSERT_TRUE(same) << path;
    EXPECT_EQ(same->data(), path.data()) << path;
    EXPECT_EQ(same->size(), path.size());
  }
}

TEST(NormalisePath, GivesOneNameToOneResource) {
  EXPECT_EQ(normal("/a%20b"), "/a b");
  EXPECT_EQ(normal("/%61"), "/a");
  EXPECT_EQ(normal("/a/./b"), "/a/b");
  EXPECT_EQ(normal("/a/."), "/a/");
  EXPECT_EQ(normal("/a/../b"), "/b");
  EXPECT_EQ(normal("/a/.."), "/");
  EXPECT_EQ(normal("/a/b/../.."), "/");
  EXPECT_EQ(normal("/a/%2e%2E/b"), "/b");
  EXPECT_EQ(normal("//a///b//"), "/a/b/");
  EXPECT_EQ(normal("/a//../b"), "/b");
  EXPECT_EQ(normal("/.hidden"), "/.hidden");
  EXPECT_EQ(normal("/..."), "/...");
  EXPECT_EQ(normal("/%252e%252e/"), "/%2e%2e/") << "decoded once, not twice";
}

TEST(NormalisePath, ReadsAnEncodedSlashInBothWays) {
  struct Case {
    std::string_view path, as_data, as_slash;
  };
  for (const Case& one : {Case{"/a%2fb", "/a%2Fb", "/a/b"},
                          Case{"/@scope%2Fpackage/-/x.tgz", "/@scope%2Fpackage/-/x.tgz", "/@scope/package/-/x.tgz"},
                          Case{"/a%2F..%2Fb", "/a%2F..%2Fb", "/b"}, Case{"/a/..%2f..%2fb", "/a/..%2F..%2Fb", "refused"},
                          Case{"/a/%2e%2e%2Fb", "/a/..%2Fb", "/b"}, Case{"/a%2F%2Fb%2F", "/a%2F%2Fb%2F", "/a/b/"},
                          Case{"/%2F", "/%2F", "/"}, Case{"/a%2F%", "refused", "refused"},
                          Case{"/a%252Fb", "/a%2Fb", "/a%2Fb"}, Case{"/a%2F%00", "refused", "refused"}}) {
    std::string buffer;
    EXPECT_EQ(normalise_path(one.path, buffer, EncodedSlash::kIsData).value_or("refused"), one.as_data) << one.path;
    EXPECT_EQ(normalise_path(one.path, buffer, EncodedSlash::kIsSlash).value_or("refused"), one.as_slash) << one.path;
  }
  EXPECT_TRUE(has_encoded_slash("/a%2fb"));
  EXPECT_FALSE(has_encoded_slash("/a%252Fb%2"));
}

TEST(NormalisePath, RefusesWhatEscapesOrDeceives) {
  for (std::string_view path :
       {"", "a", "/..", "/../a", "/a/../../b", "/%2e%2e/a", "/a%2fb", "/a%2Fb", "/a\\b", "/a%5cb", "/..%5c", "/a%00",
        "/a%0a", "/a%7f", "/a%", "/a%4", "/a%zz", "/./../a", "//../a"}) {
    EXPECT_EQ(normal(path), "refused") << path;
  }
}

TEST(PercentEncode, IsUndoneByDecoding) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a b/c"), "a%20b%2Fc");
}

std::string parameters(std::string_view query) {
  auto found = query_parameters(query);
  if (!found) return "refused";
  std::string out;
  for (const auto& [name, value] : *found) out += name + "=" + value + ";";
  return out;
}

TEST(QueryParameters, AreDecodedAndKeepTheirOrder) {
  EXPECT_EQ(parameters("?a=b&c=d%26+e"), "a=b;c=d& e;");
  EXPECT_EQ(parameters("a=b"), "a=b;");
  EXPECT_EQ(parameters("?a&b="), "a=;b=;");
  EXPECT_EQ(parameters("?a=1&&a=2&"), "a=1;a=2;");
  EXPECT_EQ(parameters("?x%79=1=2"), "xy=1=2;");
  EXPECT_EQ(parameters("?b=1&a=%zz"), "refused");
  EXPECT_EQ(parameters("?%2=1"), "refused");
  EXPECT_EQ(parameters(""), "");
  EXPECT_EQ(parameters("?"), "");
}

}  // namespace
}  // namespace freehold::http
