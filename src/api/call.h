// One request on its way through the API. Internal to api.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "api/service.h"
#include "http/exchange.h"

namespace freehold::api {

struct ApiService::Call {
  std::shared_ptr<http::Exchange> exchange;
  std::string path;   // decoded
  std::string query;  // as received
  std::string who;

  void respond(Answer answer);
  // A parameter of the query; empty if there is none.
  std::string text(std::string_view name) const;
  Result<uint64_t> number(std::string_view name) const;
  bool has(std::string_view name) const;
};

Result<uint64_t> parse_number(std::string_view text);
uint16_t status_of(ErrorCode code);
http::Response problem_response(const Error& error);
// Of the last rollout; id 0 if there was none.
RolloutStatus make_rollout_status(const control::Controller& controller);
JobsAnswer make_jobs_answer(const control::Controller& controller);
// The generation that If-Match names: "4" with its quotes, or * for any.
Result<std::optional<uint64_t>> base_of(const http::RequestHead& head);
// All groups of a user, for deciding whether one of them is `freehold`.
std::vector<gid_t> groups_of(uid_t uid, gid_t primary);

}  // namespace freehold::api
