// The path and query of a request target, as routing, files and the API see them.
//
// A path is decoded once and its dot segments are resolved (RFC 3986 section 5.2.4), so that one resource has one name
// and nothing that is checked here is decoded again later. Refused, because programs behind us disagree about them: a
// backslash in any form, NUL and other control characters, broken percent-encoding, and ".." that leads out of the
// root. Adjacent slashes count as one, as most file systems and servers see them. An encoded slash (%2F) is data within
// a segment to some programs and a slash to others: who passes a path on asks for both readings (EncodedSlash), who
// uses it himself refuses it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freehold::http {

enum class EncodedSlash : uint8_t {
  kRefused,
  kIsData,   // stays in its segment, as "%2F"
  kIsSlash,  // ends its segment, as "/" does
};

// `encoded` is RequestHead::path. Returns it as it is where nothing needs to change, which is nearly always and costs
// no allocation; else a view into `buffer`, which is overwritten. Nothing: answer 400.
std::optional<std::string_view> normalise_path(std::string_view encoded, std::string& buffer,
                                               EncodedSlash slash = EncodedSlash::kRefused);
bool has_encoded_slash(std::string_view encoded);

// Every %XX replaced by its byte; nothing where one is broken.
std::optional<std::string> percent_decode(std::string_view text);
// What may not stand in one segment of a path, or in a query's value, as %XX.
std::string percent_encode(std::string_view text);

// The parameters of "?a=b&c=d" (with or without its question mark) in their order, decoded, a plus sign being a space;
// one without "=" has an empty value. Nothing if an encoding is broken.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;
std::optional<QueryParameters> query_parameters(std::string_view query);

}  // namespace freehold::http
