// Texts with substitutions: ${PORT}, ${secret.NAME}, ${service.NAME.address}, ${volume.NAME.path}, ${env.NAME}; `$$` is
// a dollar. Words and values in a validated Service are such texts (without ${env...}, replaced when the file is read):
// whoever starts an instance calls fill_in. A `$` before anything else stands for itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace freehold::model {

enum class PartKind { kText, kPort, kSecret, kServiceAddress, kVolumePath, kEnvironment };

struct TemplatePart {
  PartKind kind = PartKind::kText;
  std::string text;   // the literal text, or NAME
  size_t offset = 0;  // in the template, in bytes
  size_t length = 0;
};

struct TemplateProblem {
  size_t offset = 0;
  size_t length = 0;
  std::string message;
  std::string hint;
};

struct Template {
  std::vector<TemplatePart> parts;
  std::vector<TemplateProblem> problems;
};

Template parse_template(std::string_view text);

// The literal text as a template: every `$` doubled.
std::string escape_template(std::string_view text);
// The part as it is written: "${volume.data.path}".
std::string write_part(const TemplatePart& part);

// The text with each substitution replaced by what `value` says; fails with its first error, or kInvalid for a text
// that parse_template refuses.
Result<std::string> fill_in(std::string_view text,
                            const std::function<Result<std::string>(const TemplatePart& part)>& value);

}  // namespace freehold::model
