#include "agent/filling.h"

#include <fmt/core.h>

#include "model/template.h"

namespace freehold::agent {
namespace {

Result<std::string> fill(const std::string& text, const FillingContext& context) {
  return model::fill_in(text, [&](const model::TemplatePart& part) -> Result<std::string> {
    switch (part.kind) {
      case model::PartKind::kText:
        return part.text;
      case model::PartKind::kPort:
        return std::to_string(context.port);
      case model::PartKind::kSecret:
        return context.secret(part.text);
      case model::PartKind::kVolumePath: {
        auto found = context.volume_paths.find(part.text);
        if (found != context.volume_paths.end()) return found->second;
        return Error(ErrorCode::kInvalid, fmt::format("there is no volume '{}'", part.text));
      }
      case model::PartKind::kServiceAddress:
      case model::PartKind::kEnvironment:
        break;  // control has replaced these
    }
    return Error(ErrorCode::kInvalid, fmt::format("{} was not replaced by control", model::write_part(part)));
  });
}

}  // namespace

Result<std::vector<std::string>> fill_command(const std::vector<std::string>& words, const FillingContext& context) {
  std::vector<std::string> out;
  out.reserve(words.size());
  for (const std::string& word : words) {
    FH_ASSIGN(std::string filled, fill(word, context));
    out.push_back(std::move(filled));
  }
  return out;
}

std::string variable_of(const std::string& secret) {
  std::string out;
  for (char c : secret) out += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

Result<std::map<std::string, std::string>> fill_environment(const model::Runtime& runtime,
                                                            const FillingContext& context) {
  std::map<std::string, std::string> out = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"LANG", "C.UTF-8"},
      {"HOME", context.temporary_folder},
      {"TMPDIR", context.temporary_folder},
      {"FREEHOLD_SERVICE", runtime.service},
      {"FREEHOLD_INSTANCE", context.instance},
  };
  if (context.port != 0) out["PORT"] = std::to_string(context.port);
  if (!context.secrets_folder.empty()) out["CREDENTIALS_DIRECTORY"] = context.secrets_folder;
  for (const model::SecretUse& use : runtime.secrets) {
    if (use.form != model::SecretForm::kEnv) continue;
    FH_ASSIGN(out[variable_of(use.name)], context.secret(use.name));
  }
  for (const auto& [name, value] : runtime.env) {
    FH_ASSIGN(out[name], fill(value, context));
  }
  return out;
}

}  // namespace freehold::agent
