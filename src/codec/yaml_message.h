// A syntax error of libyaml in words for a person who edits a configuration file. Internal to codec.
#pragma once

#include <string_view>

#include "codec/yaml_text.h"

namespace freehold::codec {

// `problem` and `context` are the library's own constant texts and hold nothing of the file; `mark` is where it
// stopped, `opened` where the thing that it was reading began.
YamlProblem explain_yaml_error(const YamlText& text, YamlPrivacy privacy, std::string_view problem,
                               std::string_view context, const YamlMark& mark, const YamlMark& opened);

}  // namespace freehold::codec
