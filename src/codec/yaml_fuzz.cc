// Any bytes: the parser must end within its limits, and every mark must lie inside the text.
#include <cstdint>
#include <cstdlib>

#include "codec/yaml.h"

namespace {

using freehold::codec::YamlDocument;
using freehold::codec::YamlLimits;
using freehold::codec::YamlMark;
using freehold::codec::YamlNode;
using freehold::codec::YamlPrivacy;
using freehold::codec::YamlProblem;

void check(const YamlMark& mark, size_t size) {
  if (mark.offset > size || mark.length > size - mark.offset + 1 || mark.line == 0 || mark.column == 0) std::abort();
}

void check(const YamlNode& node, size_t size) {
  check(node.mark, size);
  for (const YamlNode& item : node.items) check(item, size);
  for (const auto& entry : node.entries) {
    check(entry.key_mark, size);
    check(entry.value, size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (YamlPrivacy privacy : {YamlPrivacy::kOpen, YamlPrivacy::kConfidential}) {
    YamlDocument document = freehold::codec::parse_yaml(text, YamlLimits(), privacy);
    if (!document.root && document.problems.empty()) std::abort();
    if (document.root) check(*document.root, size);
    for (const YamlProblem& problem : document.problems) check(problem.mark, size);
  }
  return 0;
}
