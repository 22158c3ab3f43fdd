// One request on its way through the API, and what it may reach. Internal to api.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/follower.h"
#include "api/service.h"
#include "http/exchange.h"

namespace freehold::api {

struct Resource;
using Answer = Result<http::Response>;
using Parameters = std::map<std::string, std::string, std::less<>>;  // name -> value, decoded

// What resources are made of.
struct Backend {
  runtime::Loop& loop;
  control::Controller& controller;
  contents::ContentStore& contents;
  events::EventLog& events;
  ApiService::Options options;
  std::map<std::string, uint64_t> requests{};  // by method, for /metrics
  Followers followers{};
};

struct Call {
  std::shared_ptr<http::Exchange> exchange;
  Backend& backend;
  std::string who;
  const Resource* resource = nullptr;
  std::map<std::string, std::string> in_path{};  // "service" of /v1/services/{service}/restart -> what stands there
  // Of the query: those that the resource declares, as it declares them.
  Parameters parameters{};

  bool has(std::string_view name) const { return parameters.contains(name); }
  std::string text(std::string_view name) const;  // empty if there is none
  bool flag(std::string_view name) const { return text(name) == "1"; }
  std::optional<uint64_t> number(std::string_view name) const;

  void respond(Answer answer) const;
};

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kLinesType = "application/x-ndjson";
constexpr std::string_view kTextType = "text/plain; charset=utf-8";

Result<uint64_t> parse_number(std::string_view text);
uint16_t status_of(ErrorCode code);
http::Response problem_response(const Error& error);

}  // namespace freehold::api
