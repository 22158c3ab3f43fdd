// What changes something: each is accepted or refused at once, and done by a rollout that can be watched.
#include <fmt/core.h>

#include "api/answers.h"
#include "api/work.h"

namespace freehold::api {
namespace {

using Accepted = Result<Reply<ChangeAnswer>>;

Accepted accepted(const Result<control::Accepted>& result) {
  if (!result) return result.error();
  ChangeAnswer answer{result->rollout, result->generation, result->event, result->undoes, result->text};
  return Reply<ChangeAnswer>{std::move(answer), static_cast<uint16_t>(result->rollout == 0 ? 200 : 202)};
}

// The generation that If-Match names: "4" with its quotes, or * for any.
Result<std::optional<uint64_t>> base_of(const http::RequestHead& head) {
  const http::Header* header = head.find("If-Match");
  if (header == nullptr || header->value() == "*") return std::optional<uint64_t>();
  std::string_view tag = header->value();
  if (tag.size() < 2 || tag.front() != '"' || tag.back() != '"')
    return Error(ErrorCode::kInvalid, "If-Match is no generation such as \"4\"");
  FH_ASSIGN(uint64_t number, parse_number(tag.substr(1, tag.size() - 2)));
  return std::optional(number);
}

Result<PlanAnswer> plan(const Call& call, const model::Submission& submission) {
  FH_ASSIGN(control::Plan plan, call.backend.controller.plan(submission, call.who));
  return plan_answer(plan);
}

// Never blindly: it says which generation it was planned against, in its body or as If-Match, or that any will do
// ("*").
Accepted apply(const Call& call, const model::Submission& submission) {
  control::Controller& controller = call.backend.controller;
  const http::RequestHead& head = call.exchange->head();
  FH_ASSIGN(std::optional<uint64_t> match, base_of(head));
  if (!submission.base && head.find("If-Match") == nullptr) {
    return refused<ChangeAnswer>(428, Error(ErrorCode::kInvalid,
                                            "an apply names the generation that it was planned against: \"base\", or "
                                            "If-Match with the ETag of /v1/generations/current"));
  }
  if (match && *match != controller.current()) {
    return refused<ChangeAnswer>(
        412, Error(ErrorCode::kConflict, fmt::format("generation {} is the current one, and not {}: plan again",
                                                     controller.current(), *match)));
  }
  return accepted(controller.apply(submission, call.who));
}

Accepted rollback(const Call& call, const RollbackRequest& request) {
  return accepted(call.backend.controller.rollback(request.generation, call.who));
}

Accepted restart(const Call& call) {
  return accepted(call.backend.controller.restart(call.in_path.at("service"), call.who));
}

Accepted scale(const Call& call, const ScaleRequest& request) {
  return accepted(call.backend.controller.scale(call.in_path.at("service"), request.replicas, call.who));
}

Accepted drain(const Call& call, const DrainRequest& request) {
  return accepted(call.backend.controller.drain(request.subject, request.off, call.who));
}

Accepted down(const Call& call) { return accepted(call.backend.controller.down(call.who)); }

// A row of one that begins a rollout. Not found: the service or generation that it names. Unavailable: no agent, or
// the state is being written. Exhausted: the disk.
Resource change(std::string_view path, std::string_view name, std::string_view summary, Work work) {
  return {.method = http::Method::kPost,
          .path = path,
          .name = name,
          .group = "changing",
          .summary = summary,
          .work = work,
          .statuses = {200, 202},
          .refusals = {404, 409, 507}};
}

}  // namespace

std::vector<Resource> resources_that_change() {
  Resource plan_row = change("/v1/plan", "plan", "What an apply of this would change; changes nothing", json<&plan>());
  plan_row.statuses = {200};
  Resource apply_row = change("/v1/apply", "apply", "Make it so", json<&apply>());
  apply_row.more =
      "First `findMissingContents` and `putContent` for what the manifests name, then `plan` to show what it "
      "would do, then this with the generation that the plan was made against.";
  apply_row.parameters = {{.name = "If-Match",
                           .meaning = "The ETag of the generation that it was planned against, or * for any. Needed "
                                      "where the body has no `base`.",
                           .place = ParameterPlace::kHeader}};
  apply_row.refusals.insert(apply_row.refusals.end(), {412, 428});
  return {
      std::move(plan_row),
      std::move(apply_row),
      change("/v1/rollback", "rollback", "Bring back a generation, or take back the apply that is under way",
             json<&rollback>()),
      change("/v1/services/{service}/restart", "restartService", "Replace its instances one by one", json<&restart>()),
      change("/v1/services/{service}/scale", "scaleService", "Another number of instances, until the next apply",
             json<&scale>()),
      change("/v1/drain", "drain", "Give an instance or a service no more requests, or give it some again",
             json<&drain>()),
      change("/v1/down", "down", "Stop everything, and then the platform", json<&down>())};
}

}  // namespace freehold::api
