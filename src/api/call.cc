#include "api/call.h"

#include <fmt/core.h>

#include <charconv>

namespace freehold::api {

void Call::respond(Answer answer) const {
  exchange->respond(answer ? *std::move(answer) : problem_response(answer.error()));
}

std::string Call::text(std::string_view name) const {
  auto found = parameters.find(name);
  return found == parameters.end() ? "" : found->second;
}

std::optional<uint64_t> Call::number(std::string_view name) const {
  auto value = parse_number(text(name));
  return value ? std::optional(*value) : std::nullopt;
}

// At most what JSON as we write it can hold.
Result<uint64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || stop != text.data() + text.size() || number < 0)
    return Error(ErrorCode::kInvalid, fmt::format("'{}' is not a number", text));
  return static_cast<uint64_t>(number);
}

uint16_t status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kDenied:
      return 403;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kTimeout:
      return 504;
    case ErrorCode::kExhausted:
      return 507;
    case ErrorCode::kUnsupported:
      return 501;
    case ErrorCode::kCorrupt:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

http::Response problem_response(const Error& error) {
  Problem problem{error.code(), error.message(), {}};
  return http::response_of(status_of(error.code()), kJsonType, codec::to_json(problem).dump() + "\n");
}

}  // namespace freehold::api
