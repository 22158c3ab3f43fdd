#include "model/template.h"

#include <gtest/gtest.h>

namespace freehold::model {
namespace {

Result<std::string> name_of(const TemplatePart& part) {
  if (part.kind == PartKind::kPort) return std::string("8080");
  return "<" + part.text + ">";
}

TEST(Template, FillsInEverySubstitution) {
  auto text = fill_in("-p ${PORT} ${secret.a_b} ${service.web.address} ${volume.data.path} ${env.HOME}", name_of);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "-p 8080 <a_b> <web> <data> <HOME>");
}

TEST(Template, LeavesOtherDollarsAlone) {
  EXPECT_EQ(*fill_in("$ $x $$ $${PORT} a$", name_of), "$ $x $ ${PORT} a$");
  for (const char* literal : {"", "$", "$$", "${PORT}", "a$b${", "x"}) {
    EXPECT_EQ(*fill_in(escape_template(literal), name_of), literal);
  }
}

TEST(Template, WritesPartsAsTheyWereRead) {
  for (std::string text : {"${PORT}", "${secret.a}", "${service.b.address}", "${volume.c.path}", "${env.D}", "a$$b"}) {
    Template parsed = parse_template(text);
    ASSERT_EQ(parsed.parts.size(), 1u) << text;
    EXPECT_EQ(write_part(parsed.parts[0]), text);
    EXPECT_EQ(parsed.parts[0].length, text.size());
  }
}

TEST(Template, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"${", "${PORT", "${}", "${port}", "${secret.}", "${secret.a b}", "${service.web}",
                           "${service..address}", "${volume.data}", "${database.main.url}", "${PORT:-80}"}) {
    Template parsed = parse_template(text);
    EXPECT_EQ(parsed.problems.size(), 1u) << text;
    EXPECT_FALSE(fill_in(text, name_of).ok()) << text;
  }
}

TEST(Template, PassesOnTheErrorOfAValue) {
  auto text = fill_in("${PORT}", [](const TemplatePart&) { return Error(ErrorCode::kExhausted, "no port is free"); });
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code(), ErrorCode::kExhausted);
}

}  // namespace
}  // namespace freehold::model
