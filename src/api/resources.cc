// The whole table, and finding a request's row in it.
#include <fmt/core.h>

#include <algorithm>

#include "api/resource.h"
#include "base/text.h"
#include "http/path.h"

namespace freehold::api {
namespace {

std::string_view name_of(http::Method method) {
  switch (method) {
    case http::Method::kPost:
      return "POST";
    case http::Method::kPut:
      return "PUT";
    case http::Method::kDelete:
      return "DELETE";
    default:
      return "GET";
  }
}

// Whether `path` is one of those that the template means; what stands in its braces is put into `in_path`.
bool matches(std::string_view pattern, std::string_view path, std::map<std::string, std::string>& in_path) {
  std::vector<std::string_view> wanted = split(pattern, '/'), there = split(path, '/');
  if (wanted.size() != there.size()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].starts_with('{')) {
      if (wanted[i] != there[i]) return false;
      continue;
    }
    if (there[i].empty()) return false;
    in_path[std::string(wanted[i].substr(1, wanted[i].size() - 2))] = there[i];
  }
  return true;
}

Result<void> check_value(const Parameter& parameter, const std::string& value) {
  auto wrong = [&](std::string_view why) {
    return Error(ErrorCode::kInvalid, fmt::format("{}: {}", parameter.name, why));
  };
  switch (parameter.kind) {
    case ParameterKind::kText:
      return {};
    case ParameterKind::kNumber:
      if (auto number = parse_number(value); !number) return wrong(number.error().message());
      return {};
    case ParameterKind::kFlag:
      return value == "0" || value == "1" ? Result<void>() : wrong("it is 0 or 1");
    case ParameterKind::kTime:
      if (auto time = parse_time(value); !time) return wrong(time.error().message());
      return {};
  }
  return {};
}

Error unknown_parameter(const Resource& resource, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : resource.parameters) {
    if (parameter.place == ParameterPlace::kQuery) names.push_back(parameter.name);
  }
  std::string_view near = near_name(name, names);
  return {ErrorCode::kInvalid, fmt::format("{} has no parameter '{}'{}", resource.path, name,
                                           near.empty() ? "" : fmt::format("; did you mean '{}'?", near))};
}

}  // namespace

const std::vector<InPath> kInPath = {
    {"service", "A service of the file.", ""},
    {"generation", "Its number, or `current`.", "^([0-9]+|current)$"},
    {"digest", "SHA-256 of the bytes, in lower-case hexadecimal digits.", "^[0-9a-f]{64}$"},
};

const std::vector<Resource>& all_resources() {
  static const std::vector<Resource> kAll = [] {
    std::vector<Resource> all;
    for (auto* rows : {&resources_to_look_at, &resources_that_go_on, &resources_of_jobs, &resources_of_the_lock,
                       &resources_that_change, &resources_of_contents}) {
      for (Resource& resource : rows()) all.push_back(std::move(resource));
    }
    return all;
  }();
  return kAll;
}

Match match_resource(std::string_view method, std::string_view path) {
  Match match;
  // A path without braces goes before one that has them.
  std::string_view pattern;
  for (const Resource& resource : all_resources()) {
    if (resource.path == path) pattern = resource.path;
  }
  for (const Resource& resource : all_resources()) {
    std::map<std::string, std::string> in_path;
    if (pattern.empty() && matches(resource.path, path, in_path)) pattern = resource.path;
    if (resource.path != pattern) continue;
    std::string_view name = name_of(resource.method);
    match.allowed += fmt::format("{}{}", match.allowed.empty() ? "" : ", ", name);
    if (resource.method == http::Method::kGet) match.allowed += ", HEAD";
    if (name != method && (resource.method != http::Method::kGet || method != "HEAD")) continue;
    match.resource = &resource;
    matches(resource.path, path, match.in_path);
  }
  return match;
}

Result<Parameters> read_parameters(const Resource& resource, std::string_view query) {
  auto sent = http::query_parameters(query);
  if (!sent) return Error(ErrorCode::kInvalid, "the query cannot be read");
  Parameters out;
  for (auto& [name, value] : *sent) {
    auto found = std::ranges::find_if(resource.parameters, [&](const Parameter& parameter) {
      return parameter.place == ParameterPlace::kQuery && parameter.name == name;
    });
    if (found == resource.parameters.end()) return unknown_parameter(resource, name);
    FH_TRY(check_value(*found, value));
    if (!out.emplace(name, std::move(value)).second)
      return Error(ErrorCode::kInvalid, fmt::format("{} is there twice", name));
  }
  for (const Parameter& parameter : resource.parameters) {
    if (parameter.needed && parameter.place == ParameterPlace::kQuery && !out.contains(parameter.name))
      return Error(ErrorCode::kInvalid, fmt::format("{} is missing", parameter.name));
  }
  return out;
}

void run(const std::shared_ptr<Call>& call) {
  const Resource& resource = *call->resource;
  const Work& work = resource.stream.run != nullptr && call->flag("follow") ? resource.stream : resource.work;
  bool goes_on = work.gives.media == Media::kLines;
  if (goes_on && call->exchange->head().method_id == http::Method::kHead)
    return call->respond(http::response_of(200, kLinesType, ""));
  work.run(call);
}

}  // namespace freehold::api
