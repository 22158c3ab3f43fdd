#include "codec/json_schema.h"

#include <fmt/core.h>

namespace freehold::codec {
namespace schema {

Json of_type(std::string_view type) { return Json().set("type", type); }

Json pattern(std::string_view regular_expression) { return of_type("string").set("pattern", regular_expression); }

Json one_of(std::span<const std::string_view> words) {
  Json names = Json::array();
  for (std::string_view word : words) names.push(word);
  return of_type("string").set("enum", std::move(names));
}

Json list_of(Json items) { return of_type("array").set("items", std::move(items)); }

Json map_of(Json values) { return of_type("object").set("additionalProperties", std::move(values)); }

Json any_of(Json::Array forms) { return Json().set("anyOf", Json(std::move(forms))); }

Json whole_number(int64_t least, uint64_t most) {
  Json out = of_type("integer");
  if (least < INT32_MIN || most > UINT32_MAX) out.set("format", "int64");
  if (least != INT64_MIN) out.set("minimum", least);
  if (most < INT64_MAX) out.set("maximum", most);
  return out;
}

}  // namespace schema

SchemaBook::Page* SchemaBook::begin(std::string_view name, const void* type, SchemaUse use) {
  auto [at, is_new] = pages_.try_emplace(std::string(name));
  Page& page = at->second;
  if (!is_new) {
    if (page.type != type || page.use != use) conflicts_.emplace_back(name);
    return nullptr;
  }
  page.type = type;
  page.use = use;
  return &page;
}

Json SchemaBook::reference(std::string_view name) const { return Json().set("$ref", prefix_ + std::string(name)); }

Json SchemaBook::take() {
  Json out = Json::object();
  for (auto& [name, page] : pages_) out.append(name, std::move(page.schema));
  pages_.clear();
  return out;
}

void SchemaWriter::add(std::string_view name, Json schema, const Note& note, bool required) {
  if (!note.format.empty()) schema.set("format", note.format);
  if (!note.words.empty()) {
    Json words = schema::one_of(note.words)["enum"];
    if (note.may_be_empty) words.push("");
    schema.set("enum", std::move(words));
  }
  if (!note.meaning.empty()) {
    const std::string& unit = schema["description"].as_string();
    schema.set("description", unit.empty() ? std::string(note.meaning) : fmt::format("{} ({})", note.meaning, unit));
  }
  properties_.append(std::string(name), std::move(schema));
  if (required) required_.push(name);
}

Json SchemaWriter::take() {
  Json out = schema::of_type("object").set("properties", std::move(properties_));
  if (!required_.items().empty()) out.set("required", std::move(required_));
  return out;
}

}  // namespace freehold::codec
