// The language of freehold.yaml as something to be looked at: for a person at a terminal (`freehold explain`), for an
// editor (`freehold schema`), and for the reference in docs/user. All are written from the table that the readers hold
// the file to (schema.h). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/fields.h"

namespace freehold::model {

struct Explanation {
  std::string path;  // "services.NAME.health.every"; empty for the file itself
  bool built = true;
  bool required = false;
  std::string meaning;
  std::string takes;              // "a duration: 250ms, 15s, 5m, 2h, 30d"
  std::string fallback;           // what holds if it is left out; may be empty
  std::string example;            // of its value
  std::vector<Explanation> keys;  // below it, without theirs
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Explanation>& explanation) {
  v("path", explanation.path);
  v("built", explanation.built);
  v("required", explanation.required);
  v("meaning", explanation.meaning);
  v("takes", explanation.takes);
  v("fallback", explanation.fallback);
  v("example", explanation.example);
  v("keys", explanation.keys);
}

// What a key is; a word that is a key in several places gives each. `path` is a path of keys, with or without the
// user's own names between them ("services.web.health.every", "services.health.every"), or a single key from anywhere
// ("grace"). The empty path is the file itself. kNotFound, with the near name, for what is no key.
Result<std::vector<Explanation>> explain(std::string_view path);
// For a person.
std::string render(const Explanation& explanation);

// JSON Schema (draft-07, which editors' YAML plugins read). What is not built is left out, so an editor marks it.
codec::Json json_schema();

// The keys as tables in Markdown, section by section.
std::string reference();

}  // namespace freehold::model
