#include "api/work.h"

namespace freehold::api {
namespace {

constexpr uint64_t kLargestRequest = uint64_t{64} << 20;

}  // namespace

void with_json(const std::shared_ptr<Call>& call, Answer (*handler)(const Call&, const codec::Json& body)) {
  call->exchange->collect_body(kLargestRequest, [call, handler](const std::string& body) {
    auto json = body.empty() ? Result<codec::Json>(codec::Json::object()) : codec::Json::parse(body);
    if (!json) return call->respond(json.error().with_context("the body"));
    call->respond(handler(*call, *json));
  });
}

}  // namespace freehold::api
