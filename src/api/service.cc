#include "api/service.h"

#include <fmt/core.h>

#include "api/resource.h"
#include "http/authority.h"
#include "http/path.h"

#include "base/text.h"

namespace freehold::api {
namespace {

bool names_this_machine(const http::RequestHead& head) {
  const http::Header* host = head.find("Host");
  auto authority = host == nullptr ? std::nullopt : http::parse_authority(host->value());
  if (!authority) return false;
  return equals_ignoring_case(authority->host, "localhost") || authority->host == "[::1]" ||
         (authority->host.starts_with("127.") && authority->host.find_first_not_of("0123456789.") == std::string::npos);
}

http::Response not_admitted(const http::Exchange& exchange, const Error& error) {
  http::Response response = problem_response(error);
  if (exchange.peer().credentials) return response;
  response.status = 401;
  response.fields.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

http::Response no_such_method(std::string_view path, std::string_view method, const std::string& allowed) {
  http::Response response =
      problem_response(Error(ErrorCode::kUnsupported, fmt::format("{} is not for {}", path, method)));
  response.status = 405;
  response.fields.emplace_back("Allow", allowed);
  return response;
}

}  // namespace

ApiService::ApiService(runtime::Loop& loop, control::Controller& controller, contents::ContentStore& contents,
                       events::EventLog& events, Options options)
    : backend_(std::make_unique<Backend>(loop, controller, contents, events, std::move(options))) {
  controller.when_changed([this] { backend_->followers.tell(); });
}

ApiService::~ApiService() { backend_->controller.when_changed({}); }

void ApiService::on_request(std::shared_ptr<http::Exchange> exchange) {
  const http::RequestHead& head = exchange->head();
  std::string buffer;
  auto path = http::normalise_path(head.path, buffer);
  if (!path) return exchange->respond(problem_response(Error(ErrorCode::kInvalid, "the path cannot be read")));
  ++backend_->requests[std::string(head.method)];
  if (!exchange->peer().credentials && !names_this_machine(head)) {
    // A web page whose name was made to lead here speaks to us under its own name.
    Error error(ErrorCode::kDenied, "this API answers to localhost and 127.0.0.1 only");
    return exchange->respond(problem_response(error));
  }
  auto who = admit(*exchange);
  if (!who) return exchange->respond(not_admitted(*exchange, who.error()));
  Match match = match_resource(head.method, *path);
  if (match.allowed.empty()) {
    Error error(ErrorCode::kNotFound, fmt::format("there is nothing at {}", *path));
    return exchange->respond(problem_response(error));
  }
  if (match.resource == nullptr) return exchange->respond(no_such_method(*path, head.method, match.allowed));
  auto parameters = read_parameters(*match.resource, head.query);
  if (!parameters) return exchange->respond(problem_response(parameters.error()));
  run(std::make_shared<Call>(
      Call{exchange, *backend_, *std::move(who), match.resource, std::move(match.in_path), *std::move(parameters)}));
}

}  // namespace freehold::api
