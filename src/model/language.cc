#include "model/language.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "codec/json_schema.h"
#include "model/schema.h"

namespace freehold::model {
namespace {

using codec::Json;

// A key with the way to it: "services.NAME.health.every".
struct Entry {
  std::string path;
  const Key* key;
};

bool holds_keys(Shape shape) {
  return shape == Shape::kSection || shape == Shape::kSections || shape == Shape::kNamed || shape == Shape::kListen ||
         shape == Shape::kTarget;
}

// The user's own name, or the place in a list, that stands between a key and those below it.
std::string_view step_below(const Key& key) {
  switch (key.shape) {
    case Shape::kNamed:
      return key.name == "paths" ? ".PATTERN" : ".NAME";
    case Shape::kSections:
    case Shape::kTarget:
      return "[]";
    default:
      return "";
  }
}

void collect(std::span<const Key> keys, const std::string& prefix, std::vector<Entry>& out) {
  for (const Key& key : keys) {
    std::string path = prefix.empty() ? std::string(key.name) : fmt::format("{}.{}", prefix, key.name);
    out.push_back({path, &key});
    if (holds_keys(key.shape)) collect(key.keys, path + std::string(step_below(key)), out);
  }
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> kEntries = [] {
    std::vector<Entry> all;
    collect(kFileKeys, "", all);
    return all;
  }();
  return kEntries;
}

std::string words_of(std::span<const Key> words, std::string_view between) {
  std::vector<std::string> built;
  for (const Key& word : words) {
    if (word.status == Status::kBuilt) built.emplace_back(word.name);
  }
  return join(built, between);
}

std::string takes(const Key& key) {
  switch (key.shape) {
    case Shape::kText:
      return "a text";
    case Shape::kCount:
      return "a whole number";
    case Shape::kNumber:
      return "a number";
    case Shape::kDuration:
      return "a duration: 250ms, 15s, 5m, 2h, 30d";
    case Shape::kSize:
      return "a size: 512MiB, 10GiB (binary), 1GB (decimal)";
    case Shape::kRate:
      return "a rate: 5/10m";
    case Shape::kWord:
      return words_of(key.keys, " or ");
    case Shape::kCommand:
      return "a command: a text that is split into words, or a list of words; no shell reads it";
    case Shape::kTexts:
      return "a list of texts";
    case Shape::kSection:
      return "a mapping with the keys below";
    case Shape::kSections:
      return "a list of mappings with the keys below";
    case Shape::kNamed:
      return fmt::format("a mapping from {} to mappings with the keys below",
                         key.name == "paths" ? "patterns" : "names of yours");
    case Shape::kNamedText:
      return "a mapping from names of yours to texts";
    case Shape::kNamedWord:
      return fmt::format("a mapping from names of yours to {}", words_of(key.keys, " or "));
    case Shape::kPort:
      return "${PORT}, or nothing";
    case Shape::kListen:
      return "a port, \"ADDRESS:PORT\", a list of these, or a mapping with the keys below";
    case Shape::kTarget:
      return "a service, a URL, or a list of URLs or of mappings with the keys below";
  }
  return "";
}

Explanation explanation_of(const std::string& path, const Key& key) {
  return {.path = path,
          .built = key.status == Status::kBuilt,
          .required = key.need == Need::kRequired,
          .meaning = std::string(key.meaning),
          .takes = key.status == Status::kBuilt ? takes(key) : "",
          .fallback = std::string(key.fallback),
          .example = std::string(key.example),
          .keys = {}};
}

std::vector<Explanation> below(const std::string& path, std::span<const Key> keys) {
  std::vector<Explanation> out;
  for (const Key& key : keys) out.push_back(explanation_of(path + std::string(key.name), key));
  return out;
}

// Whether a path that a person typed means this entry: the user's own names may be left out, or be anything.
bool means(const std::vector<std::string_view>& typed, const std::string& path) {
  std::string plain = path;
  for (size_t at; (at = plain.find("[]")) != std::string::npos;) plain.erase(at, 2);
  std::vector<std::string_view> parts = split(plain, '.');
  size_t next = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    bool own = parts[i] == "NAME" || parts[i] == "PATTERN";
    if (next < typed.size() && typed[next] == parts[i]) {
      ++next;
    } else if (own) {
      // A name stands here only if what follows it is the next key.
      if (next + 1 < typed.size() && i + 1 < parts.size() && typed[next + 1] == parts[i + 1]) ++next;
    } else {
      return false;
    }
  }
  return next == typed.size();
}

Json schema_of(const Key& key);

Json object_schema(std::span<const Key> keys) {
  Json properties = Json::object(), required = Json::array();
  for (const Key& key : keys) {
    if (key.status == Status::kNotBuilt) continue;
    properties.set(key.name, schema_of(key));
    if (key.need == Need::kRequired) required.push(key.name);
  }
  Json out;
  out.set("type", "object").set("properties", std::move(properties)).set("additionalProperties", false);
  if (!required.items().empty()) out.set("required", std::move(required));
  return out;
}

// What a text is follows from its key: where one is expected, `80`, `no` and `~` are texts.
Json scalar_schema() {
  Json types = Json::array();
  types.push("string").push("number").push("boolean").push("null");
  return Json().set("type", std::move(types));
}

Json word_schema(std::span<const Key> words) {
  std::vector<std::string_view> names;
  for (const Key& word : words) {
    if (word.status == Status::kBuilt) names.push_back(word.name);
  }
  return codec::schema::one_of(names);
}

Json value_schema(const Key& key) {
  using namespace codec::schema;
  constexpr std::string_view kDuration = "^[0-9]+(d|h|m|s|ms|us|ns)$";
  switch (key.shape) {
    case Shape::kText:
      return scalar_schema();
    case Shape::kCount:
      return of_type("integer");
    case Shape::kNumber:
      return of_type("number");
    case Shape::kDuration:
      return pattern(kDuration);
    case Shape::kSize:
      return pattern("^[0-9]+(TiB|GiB|MiB|KiB|TB|GB|MB|kB|B)$");
    case Shape::kRate:
      return pattern("^[0-9]+/[0-9]+(d|h|m|s|ms|us|ns)$");
    case Shape::kWord:
      return word_schema(key.keys);
    case Shape::kCommand:
      return any_of({of_type("string"), list_of(scalar_schema())});
    case Shape::kTexts:
      return list_of(of_type("string"));
    case Shape::kSection:
      return object_schema(key.keys);
    case Shape::kSections:
      return list_of(object_schema(key.keys));
    case Shape::kNamed:
      // A volume without anything said about it is `data:`, which YAML reads as null.
      return map_of(any_of({object_schema(key.keys), of_type("null")}));
    case Shape::kNamedText:
      return map_of(scalar_schema());
    case Shape::kNamedWord:
      return map_of(word_schema(key.keys));
    case Shape::kPort:
      return Json().set("enum", Json::array().push("${PORT}").push(Json()));
    case Shape::kListen: {
      Json place = any_of({of_type("integer"), of_type("string")});
      Json places = any_of({place, list_of(place)});
      return key.keys.empty() ? places : any_of({place, list_of(place), object_schema(key.keys)});
    }
    case Shape::kTarget:
      return any_of({of_type("string"), list_of(any_of({of_type("string"), object_schema(key.keys)}))});
  }
  return {};
}

Json schema_of(const Key& key) {
  Json out = value_schema(key);
  std::string text(key.meaning);
  if (!key.fallback.empty()) text += fmt::format(" (left out: {})", key.fallback);
  out.set("description", text);
  return out;
}

std::string escape_cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

void write_table(std::span<const Key> keys, const std::string& title, std::string& out) {
  out += fmt::format("\n## {}\n| key | takes | meaning | if left out |\n|---|---|---|---|\n",
                     title.empty() ? "The file" : title);
  for (const Key& key : keys) {
    if (key.status == Status::kNotBuilt) continue;
    std::string kind = takes(key);
    std::string fallback(key.need == Need::kRequired ? "required" : key.fallback);
    out += fmt::format("| `{}` | {} | {} | {} |\n", key.name, escape_cell(kind), escape_cell(key.meaning),
                       escape_cell(fallback));
  }
  for (const Key& key : keys) {
    if (key.status == Status::kBuilt && holds_keys(key.shape) && !key.keys.empty())
      write_table(key.keys, fmt::format("{}{}{}{}", title, title.empty() ? "" : ".", key.name, step_below(key)), out);
  }
}

}  // namespace

Result<std::vector<Explanation>> explain(std::string_view path) {
  if (path.empty()) {
    return std::vector{Explanation{.path = "",
                                   .meaning = "the organisation: what it runs, and how that is reached",
                                   .takes = "a mapping with the keys below",
                                   .keys = below("", kFileKeys)}};
  }
  std::vector<std::string_view> typed = split(path, '.');
  std::vector<const Entry*> found;
  for (const Entry& entry : entries()) {
    if (means(typed, entry.path)) found.push_back(&entry);
  }
  if (found.empty() && typed.size() == 1) {
    for (const Entry& entry : entries()) {
      if (entry.key->name == path) found.push_back(&entry);
    }
  }
  if (found.empty()) {
    std::vector<std::string_view> names;
    for (const Entry& entry : entries()) names.push_back(entry.key->name);
    std::string_view near = near_name(typed.back(), names);
    bool helps = !near.empty() && near != typed.back();
    return Error(ErrorCode::kNotFound, fmt::format("'{}' is no key of freehold.yaml{}", path,
                                                   helps ? fmt::format("; did you mean '{}'?", near)
                                                         : "; `freehold explain` lists the sections"));
  }
  std::vector<Explanation> out;
  for (const Entry* entry : found) {
    Explanation explanation = explanation_of(entry->path, *entry->key);
    if (explanation.built && holds_keys(entry->key->shape))
      explanation.keys = below(fmt::format("{}{}.", entry->path, step_below(*entry->key)), entry->key->keys);
    out.push_back(std::move(explanation));
  }
  return out;
}

std::string render(const Explanation& explanation) {
  std::string_view path = explanation.path.empty() ? "freehold.yaml" : std::string_view(explanation.path);
  if (!explanation.built) return fmt::format("{}\n  known, but not built yet in this version\n", path);
  auto last = [](const std::string& text) { return std::string_view(text).substr(text.rfind('.') + 1); };
  std::string out = fmt::format("{}\n  {}\n\n  takes     {}\n", path, explanation.meaning, explanation.takes);
  if (explanation.required) out += "  required\n";
  if (!explanation.fallback.empty()) out += fmt::format("  left out  {}\n", explanation.fallback);
  if (!explanation.example.empty())
    out += fmt::format("  example   {}: {}\n", last(explanation.path), explanation.example);
  size_t width = 0;
  for (const Explanation& key : explanation.keys) width = std::max(width, last(key.path).size());
  std::string later;
  if (!explanation.keys.empty()) out += "\n";
  for (const Explanation& key : explanation.keys) {
    if (!key.built) {
      later += fmt::format("{}{}", later.empty() ? "" : ", ", last(key.path));
    } else {
      out += fmt::format("  {:{}}  {}{}\n", last(key.path), width, key.meaning, key.required ? " (required)" : "");
    }
  }
  if (!later.empty()) out += fmt::format("\n  Not built yet in this version: {}\n", later);
  return out;
}

Json json_schema() {
  Json out = Json().set("$schema", "http://json-schema.org/draft-07/schema#").set("title", "freehold.yaml");
  Json file = object_schema(kFileKeys);
  for (const auto& [name, value] : file.members()) out.set(name, value);
  return out;
}

std::string reference() {
  std::string out;
  write_table(kFileKeys, "", out);
  return out;
}

}  // namespace freehold::model
