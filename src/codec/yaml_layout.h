// Lays YAML text out in one way, for `freehold fmt`: two spaces for each level, lists indented below their key, one
// space after ':', '-' and ',', none inside brackets, no white space at the end of a line, one line feed at the end.
//
// Only white space between tokens is edited, and no line is added, joined or taken away: comments, blank lines, quotes,
// order and the text of every scalar stay as they are, and line N of the result is line N of the text. The result is
// read again and compared before it is returned. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace freehold::codec {

// kInvalid if the text is not one document that parse_yaml() reads without problems, or could not be laid out without
// changing what it says.
Result<std::string> lay_out_yaml(std::string_view text);

}  // namespace freehold::codec
