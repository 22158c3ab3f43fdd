#include "codec/json_schema.h"

#include <gtest/gtest.h>

#include <array>

namespace freehold::codec {
namespace schema_test {

enum class Colour { kRed, kGreen };
std::span<const std::string_view> enum_names(Colour) {
  static constexpr std::array<std::string_view, 2> kNames = {"red", "green"};
  return kNames;
}

struct Wheel {
  Bytes weight{};
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Wheel>& wheel) {
  v("weight", wheel.weight, {.meaning = "with its tyre", .needed = true});
}

struct Cart {
  std::string name;
  bool old = true;
  uint16_t seats = 2;
  int64_t depth = 0;
  std::optional<double> speed;
  Colour colour = Colour::kRed;
  std::vector<Wheel> wheels;
  std::map<std::string, uint64_t> loads;
  Duration lasts{};
  std::string state;
  Json extra;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Cart>& cart) {
  v("name", cart.name, {.needed = true});
  v("old", cart.old);
  v("seats", cart.seats);
  v("depth", cart.depth);
  v("speed", cart.speed, {"on a good road"});
  v("colour", cart.colour, {"of its wood"});
  v("wheels", cart.wheels);
  v("loads", cart.loads);
  v("lasts", cart.lasts, {"until it breaks"});
  v("state", cart.state, {.words = enum_names(Colour()), .may_be_empty = true});
  v("extra", cart.extra);
}

namespace other {
struct Wheel {};
template <class Visitor>
void fields(Visitor&, Of<Visitor, Wheel>&) {}
}  // namespace other

Json parsed(std::string_view text) { return *Json::parse(text); }

TEST(SchemaBook, DescribesWhatTheWriterWrites) {
  SchemaBook book("#/");
  EXPECT_EQ(book.of<Cart>(SchemaUse::kWritten).dump(), R"({"$ref":"#/Cart"})");
  Json all = book.take();
  EXPECT_EQ(all["Colour"], parsed(R"({"type":"string","enum":["red","green"]})"));
  EXPECT_EQ(all["Wheel"]["properties"]["weight"],
            parsed(R"j({"type":"integer","format":"int64","minimum":0,"description":"with its tyre (bytes)"})j"));
  const Json& cart = all["Cart"]["properties"];
  EXPECT_EQ(cart["old"], parsed(R"({"type":"boolean"})"));
  EXPECT_EQ(cart["seats"], parsed(R"({"type":"integer","minimum":0,"maximum":65535})"));
  EXPECT_EQ(cart["depth"], parsed(R"({"type":"integer","format":"int64"})"));
  EXPECT_EQ(cart["speed"], parsed(R"({"type":"number","description":"on a good road"})"));
  EXPECT_EQ(cart["colour"], parsed(R"({"$ref":"#/Colour","description":"of its wood"})"));
  EXPECT_EQ(cart["wheels"], parsed(R"({"type":"array","items":{"$ref":"#/Wheel"}})"));
  EXPECT_EQ(cart["loads"]["additionalProperties"]["type"], Json("integer"));
  EXPECT_EQ(cart["lasts"]["description"], Json("until it breaks (nanoseconds)"));
  EXPECT_EQ(cart["state"], parsed(R"({"type":"string","enum":["red","green",""]})"));
  EXPECT_EQ(cart["extra"], Json::object());
  EXPECT_EQ(all["Cart"]["required"], parsed(R"(["name","old","seats","depth","colour","wheels","loads","lasts",)"
                                            R"("state","extra"])"));
}

TEST(SchemaBook, DescribesWhatTheReaderTakes) {
  SchemaBook book("#/");
  book.of<Cart>(SchemaUse::kRead);
  Json cart = book.take()["Cart"];
  EXPECT_EQ(cart["required"], parsed(R"(["name"])"));
  EXPECT_EQ(cart["properties"]["seats"]["default"], Json(2));
  EXPECT_EQ(cart["properties"]["old"]["default"], Json(true));
  EXPECT_FALSE(cart["properties"]["wheels"].has("default"));
}

TEST(SchemaBook, TellsOfTwoTypesOrTwoUsesUnderOneName) {
  SchemaBook book("#/");
  book.of<Wheel>(SchemaUse::kWritten);
  book.of<Wheel>(SchemaUse::kWritten);
  book.of<Colour>(SchemaUse::kRead);
  book.of<Colour>(SchemaUse::kWritten);
  EXPECT_TRUE(book.conflicts().empty());
  book.of<Wheel>(SchemaUse::kRead);
  EXPECT_EQ(book.conflicts(), std::vector<std::string>({"Wheel"}));
  book.of<other::Wheel>(SchemaUse::kWritten);
  EXPECT_EQ(book.conflicts().size(), 2u);
}

TEST(JsonReader, RefusesWhatLacksANeededMember) {
  EXPECT_EQ(from_json<Wheel>(parsed("{}")).error().message(), "weight is missing");
  EXPECT_EQ(from_json<Cart>(parsed(R"({"name":"a","wheels":[{"weight":1},{}]})")).error().message(),
            "wheels: [1]: weight is missing");
  EXPECT_TRUE(from_json<Cart>(parsed(R"({"name":""})")).ok());
}

}  // namespace schema_test
}  // namespace freehold::codec
