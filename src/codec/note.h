// Note: what is to be known of a member beside its name and type; the third argument of a call in `fields`. It goes
// into descriptions made from `fields` (json_schema.h). Of the writer and the reader of JSON only the reader looks at
// it, at `needed`.
//
//   v("subject", request.subject, {.meaning = "an instance or a service", .needed = true});
#pragma once

#include <span>
#include <string_view>

namespace freehold::codec {

struct Note {
  std::string_view meaning{};                 // for a person; no more than the name and the type already say
  bool needed = false;                        // reading: an error if it is absent or null
  std::string_view format{};                  // of a text: "date-time"
  std::span<const std::string_view> words{};  // of a text: it is one of these
  bool may_be_empty = false;                  // or, where there is nothing to tell, the empty text
};

}  // namespace freehold::codec
