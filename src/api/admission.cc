// Who comes in, and what may be done where: all that is decided before a request means anything.
#include <fmt/core.h>
#include <pwd.h>

#include <algorithm>
#include <array>

#include "api/call.h"
#include "base/text.h"
#include "http/authority.h"
#include "http/path.h"

namespace freehold::api {
namespace {

std::string name_of_user(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(4096, '\0');
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return fmt::format("uid {}", uid);
}

constexpr std::string_view kToLookAt = "GET HEAD";
constexpr std::string_view kToPost = "POST";
constexpr std::string_view kToPut = "PUT";

// What may be done with what is at a path, separated by spaces; empty if nothing is there.
std::string_view methods_of(std::string_view path) {
  constexpr std::array kLookedAt = {"/v1/status", "/v1/generations", "/v1/diff", "/v1/rollout",
                                    "/v1/jobs",   "/v1/events",      "/v1/logs", "/livez",
                                    "/readyz",    "/healthz",        "/metrics"};
  constexpr std::array kPosted = {"/v1/plan",     "/v1/apply", "/v1/contents/missing",
                                  "/v1/rollback", "/v1/drain", "/v1/down"};
  if (std::ranges::find(kLookedAt, path) != kLookedAt.end()) return kToLookAt;
  if (std::ranges::find(kPosted, path) != kPosted.end()) return kToPost;
  std::vector<std::string_view> parts = split(path, '/');  // the first is empty
  if (parts.size() < 4 || parts[1] != "v1" || parts[3].empty()) return "";
  if (parts[2] == "generations" && parts.size() == 4) return kToLookAt;
  if (parts[2] == "contents" && parts.size() == 4) return kToPut;
  bool verb = parts.size() == 5 && (parts[4] == "restart" || parts[4] == "scale");
  return parts[2] == "services" && verb ? kToPost : "";
}

bool names_this_machine(const http::RequestHead& head) {
  const http::Header* host = head.find("Host");
  auto authority = host == nullptr ? std::nullopt : http::parse_authority(host->value());
  if (!authority) return false;
  return equals_ignoring_case(authority->host, "localhost") || authority->host == "[::1]" ||
         (authority->host.starts_with("127.") && authority->host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace

Result<std::string> ApiService::admit(const net::PeerCredentials& credentials) const {
  auth::Peer peer{credentials.uid, credentials.gid, groups_of(credentials.uid, credentials.gid)};
  auth::PeerRule rule = auth::rule_for(options_.peers, peer);
  if (!auth::is_admitted(rule)) return Error(ErrorCode::kDenied, auth::explain(rule, peer));
  return name_of_user(peer.uid);
}

bool ApiService::is_known(const http::Peer& peer) const { return peer.credentials && admit(*peer.credentials).ok(); }

Result<std::string> ApiService::admit(const http::Exchange& exchange) const {
  if (exchange.peer().credentials) return admit(*exchange.peer().credentials);
  const http::Header* header = exchange.head().find("Authorization");
  if (options_.token == nullptr || header == nullptr || !options_.token->admits(header->value())) {
    return Error(ErrorCode::kDenied, "the bearer token of this organisation is asked for");
  }
  return std::string("token");
}

void ApiService::on_request(std::shared_ptr<http::Exchange> exchange) {
  auto call = std::make_shared<Call>();
  call->exchange = exchange;
  std::string buffer;
  auto path = http::normalise_path(exchange->head().path, buffer);
  if (!path) {
    exchange->respond(problem_response(Error(ErrorCode::kInvalid, "the path cannot be read")));
    return;
  }
  call->path = std::string(*path);
  call->query = std::string(exchange->head().query);
  ++requests_[std::string(exchange->head().method)];
  if (!exchange->peer().credentials && !names_this_machine(exchange->head())) {
    // A web page whose name was made to lead here speaks to us under its own name.
    exchange->respond(problem_response(Error(ErrorCode::kDenied, "this API answers to localhost and 127.0.0.1 only")));
    return;
  }
  auto who = admit(*exchange);
  if (!who) {
    http::Response response = problem_response(who.error());
    if (!exchange->peer().credentials) {
      response.status = 401;
      response.fields.emplace_back("WWW-Authenticate", "Bearer");
    }
    exchange->respond(response);
    return;
  }
  call->who = *std::move(who);
  std::string_view allowed = methods_of(call->path);
  if (allowed.empty())
    return call->respond(Error(ErrorCode::kNotFound, fmt::format("there is nothing at {}", call->path)));
  std::vector<std::string_view> methods = split(allowed, ' ');
  if (std::ranges::find(methods, exchange->head().method) == methods.end()) {
    http::Response response = problem_response(
        Error(ErrorCode::kUnsupported, fmt::format("{} is not for {}", call->path, exchange->head().method)));
    response.status = 405;
    response.fields.emplace_back("Allow", join(std::vector<std::string>(methods.begin(), methods.end()), ", "));
    return exchange->respond(response);
  }
  if (allowed == kToPost) return post(call);
  if (allowed == kToPut) return upload(*call);
  get(*call);
}

}  // namespace freehold::api
