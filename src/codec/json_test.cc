#include "codec/json.h"

#include <gtest/gtest.h>

#include "codec/fields.h"

namespace freehold::codec {
namespace {

TEST(Json, ReadsAndWritesEveryKind) {
  constexpr std::string_view kText = R"({"a":[1,-2,2.5,true,null],"b":{"c":"x\"\\\n\u0001"},"d":""})";
  auto value = Json::parse(kText);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->dump(), kText);
  EXPECT_EQ((*value)["a"].items()[1].as_integer(), -2);
  EXPECT_TRUE((*value)["missing"].is_null());
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "nul", "1 2", "\"\x01\"", "NaN"}) {
    EXPECT_FALSE(Json::parse(text).ok()) << text;
  }
}

TEST(Json, HoldsItsLimits) {
  EXPECT_FALSE(Json::parse(std::string(100, '['), {.bytes = 1000, .depth = 64}).ok());
  EXPECT_EQ(Json::parse("[1,2,3]", {.bytes = 3, .depth = 64}).error().code(), ErrorCode::kExhausted);
}

TEST(Json, ReplacesBytesThatAreNoUtf8) { EXPECT_EQ(Json("a\xff").dump(), "\"a\xEF\xBF\xBD\""); }

enum class Colour { kRed, kGreen };
std::span<const std::string_view> enum_names(Colour) {
  static constexpr std::string_view kNames[] = {"red", "green"};
  return kNames;
}
struct Inner {
  std::optional<Bytes> memory;
  Colour colour = Colour::kRed;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Inner>& inner) {
  v("memory", inner.memory);
  v("colour", inner.colour);
}
struct Outer {
  std::string name;
  std::vector<Inner> list;
  std::map<std::string, uint16_t> ports;
  Duration wait{};
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Outer>& outer) {
  v("name", outer.name);
  v("list", outer.list);
  v("ports", outer.ports);
  v("wait", outer.wait);
}

TEST(Fields, GiveJsonInBothDirections) {
  Outer outer{.name = "n",
              .list = {{.memory = Bytes{5}, .colour = Colour::kGreen}, {}},
              .ports = {{"http", 80}},
              .wait = Duration(7)};
  Json json = to_json(outer);
  EXPECT_EQ(json.dump(),
            R"({"name":"n","list":[{"memory":5,"colour":"green"},{"colour":"red"}],"ports":{"http":80},"wait":7})");
  auto back = from_json<Outer>(json);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(to_json(*back), json);
}

TEST(Fields, NameThePathOfWhatIsWrong) {
  auto result = from_json<Outer>(*Json::parse(R"({"ports":{"http":70000}})"));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "ports: http: expected a number in range");
}

TEST(Fields, SkipUnknownMembersAndKeepDefaults) {
  auto result = from_json<Inner>(*Json::parse(R"({"later":1})"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->colour, Colour::kRed);
}

}  // namespace
}  // namespace freehold::codec
