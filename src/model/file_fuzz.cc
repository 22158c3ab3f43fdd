// Any bytes as the root file, its include and its secrets' store: the parse must end, say something when it refuses,
// and give the same Organisation again from what it returns.
#include <cstdint>
#include <cstdlib>

#include "model/file.h"

namespace {

using freehold::Error;
using freehold::ErrorCode;
using freehold::Result;
using freehold::model::FileInput;
using freehold::model::ParsedFile;

// The input is up to three texts with a byte 0 between them.
FileInput input_of(std::string_view data) {
  std::vector<std::string> texts(3);
  for (size_t i = 0; i < texts.size(); ++i) {
    size_t end = i + 1 < texts.size() ? data.find('\0') : std::string_view::npos;
    texts[i] = data.substr(0, end);
    data = end == std::string_view::npos ? "" : data.substr(end + 1);
  }
  FileInput input;
  input.path = "freehold.yaml";
  input.load = [texts](const std::string& path) -> Result<std::string> {
    if (path == "freehold.yaml") return texts[0];
    if (path.size() > 40) return Error(ErrorCode::kNotFound, "no such file");
    return texts[1];
  };
  input.load_secrets = [texts](const std::string&) -> Result<std::string> { return texts[2]; };
  input.environment = [](const std::string& name) -> std::optional<std::string> {
    return name.size() % 2 == 0 ? std::optional("$" + name) : std::nullopt;
  };
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FileInput input = input_of(std::string_view(reinterpret_cast<const char*>(data), size));
  ParsedFile first = freehold::model::parse_file(input);
  if (first.organisation.has_value() != (first.diagnostics.errors() == 0)) std::abort();
  std::string said = first.diagnostics.format(freehold::model::Colour::kAlways) + first.diagnostics.to_json().dump();
  if (!first.organisation) {
    if (said.empty()) std::abort();
    return 0;
  }
  input.environment = [&](const std::string& name) { return std::optional(first.environment.at(name)); };
  if (freehold::model::parse_file(input).organisation != first.organisation) std::abort();
  auto json = freehold::codec::from_json<freehold::model::Organisation>(freehold::codec::to_json(*first.organisation));
  if (!json || *json != *first.organisation) std::abort();
  return 0;
}
