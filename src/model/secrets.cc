#include "model/secrets.h"

#include <fmt/core.h>

#include "model/file.h"
#include "model/names.h"

namespace freehold::model {
namespace {

constexpr size_t kLongestSecret = 64 << 10;

}  // namespace

std::map<std::string, std::string> read_secrets(Report& report, Source& source) {
  std::map<std::string, std::string> values;
  source.confidential = true;
  source.document = codec::parse_yaml(source.text, codec::YamlLimits(), codec::YamlPrivacy::kConfidential);
  report.yaml_problems(source);
  if (!source.document.root) return values;
  Value root{&*source.document.root, &source};
  if (root.is_nothing()) return values;
  if (!root.is_mapping()) {
    report.error(root.place(), "the secrets' store is no mapping", {"expected: lines such as cookie_key: \"value\""});
    return values;
  }
  for (const codec::YamlEntry& entry : root.node->entries) {
    Place key{&source, entry.key_mark};
    Value value{&entry.value, &source};
    // A name is shown only where it is surely one: the two sides of a line are easily swapped.
    if (!is_secret_name(entry.key)) {
      report.error(key, "this cannot name a secret", {fmt::format("expected: {}", kSecretNameRule)});
    } else if (!value.is_scalar()) {
      report.error(value.place(), "a secret cannot be a list or a mapping", {"expected: a text"});
    } else if (value.node->text.empty() || value.is_nothing()) {
      report.error(key, "this secret is empty", {"expected: a text"});
    } else if (value.node->text.size() > kLongestSecret) {
      report.error(key, fmt::format("this secret is longer than {} bytes", kLongestSecret));
    } else if (value.node->text.find('\0') != std::string::npos) {
      report.error(key, "this secret holds a zero byte");
    } else {
      values.emplace(entry.key, entry.value.text);
    }
  }
  return values;
}

ParsedSecrets parse_secrets(const std::string& path, const std::string& text) {
  Report report;
  Source source;
  source.shown = source.path = path;
  source.text = text;
  ParsedSecrets out;
  out.values = read_secrets(report, source);
  out.diagnostics = report.finish();
  return out;
}

}  // namespace freehold::model
