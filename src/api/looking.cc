// What may be looked at: resources that answer from what control knows, and change nothing.
#include <fmt/core.h>

#include "api/answers.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/work.h"

namespace freehold::api {
namespace {

constexpr Duration kLeast = std::chrono::milliseconds(100);  // between two statuses
constexpr Duration kSilence = std::chrono::seconds(15);

// What `freehold status` shows, whole, each time that it is another.
class StatusFollower : public Follower {
 public:
  StatusFollower(runtime::Loop& loop, std::shared_ptr<http::Exchange> exchange, const control::Controller& controller)
      : Follower(loop, std::move(exchange), kSilence), controller_(controller) {}

 protected:
  bool write_more() override {
    std::string text = codec::to_json(make_status(controller_)).dump() + "\n";
    if (text != last_) write(last_ = std::move(text));
    return true;
  }

 private:
  void on_change() override { wake(kLeast); }
  const control::Controller& controller_;
  std::string last_;
};

void follow_status(const std::shared_ptr<Call>& call) {
  Backend& backend = call->backend;
  backend.followers.begin(std::make_unique<StatusFollower>(backend.loop, call->exchange, backend.controller));
}

Result<Status> status(const Call& call) { return make_status(call.backend.controller); }

Result<RolloutStatus> rollout(const Call& call) { return make_rollout_status(call.backend.controller); }

Result<std::vector<GenerationSummary>> generations(const Call& call) {
  FH_ASSIGN(std::vector<control::GenerationHead> history, call.backend.controller.history());
  return summaries_of(history);
}

Result<Reply<control::Generation>> generation(const Call& call) {
  control::Controller& controller = call.backend.controller;
  const std::string& asked = call.in_path.at("generation");
  FH_ASSIGN(uint64_t number, asked == "current" ? controller.current() : parse_number(asked));
  FH_ASSIGN(control::Generation generation, controller.generation(number));
  // What If-Match on /v1/apply takes. How a generation ended may change once more; so it is asked for anew each time.
  return Reply<control::Generation>{
      std::move(generation), 200, {{"ETag", fmt::format("\"{}\"", number)}, {"Cache-Control", "no-cache"}}};
}

Result<PlanAnswer> diff(const Call& call) {
  FH_ASSIGN(control::Plan plan, call.backend.controller.diff(*call.number("from"), *call.number("to")));
  return plan_answer(plan);
}

Result<codec::Json> description(const Call&) { return api_description(); }

http::Response liveness(const Call&) { return http::response_of(200, kTextType, "ok\n"); }

http::Response readiness(const Call& call) {
  if (call.backend.controller.connected()) return http::response_of(200, kTextType, "ok\n");
  return http::response_of(503, kTextType, "no agent is connected\n");
}

http::Response metrics(const Call& call) { return metrics_page(call.backend); }

}  // namespace

std::vector<Resource> resources_to_look_at() {
  return {
      {.path = "/v1/status",
       .name = "getStatus",
       .group = "looking",
       .summary = "What runs, how well, and what is being changed",
       .parameters = {flag("follow", "Go on: the whole status, as a line, whenever it is another.")},
       .work = json<&status>(),
       .stream = lines<Status>(&follow_status)},
      {.path = "/v1/generations",
       .name = "listGenerations",
       .group = "looking",
       .summary = "The generations that are kept, the newest first",
       .work = json<&generations>()},
      {.path = "/v1/generations/{generation}",
       .name = "getGeneration",
       .group = "looking",
       .summary = "What one apply was, whole",
       .work = json<&generation>(),
       .refusals = {404},
       .etag = "What If-Match of an apply takes: the generation's number in quotes."},
      {.path = "/v1/diff",
       .name = "diffGenerations",
       .group = "looking",
       .summary = "What would change from one generation to another",
       .parameters = {needed_number("from", "A generation."), needed_number("to", "Another generation.")},
       .work = json<&diff>(),
       .refusals = {404}},
      {.path = "/v1/rollout",
       .name = "getRollout",
       .group = "looking",
       .summary = "The last rollout, under way or ended",
       .work = json<&rollout>()},
      {.path = "/v1/openapi.json",
       .name = "getDescription",
       .group = "looking",
       .summary = "This description",
       .work = json<&description>()},
      {.path = "/livez", .name = "isAlive", .group = "probes", .summary = "Control lives", .work = text<&liveness>()},
      {.path = "/readyz",
       .name = "isReady",
       .group = "probes",
       .summary = "Control lives, and an agent is connected",
       .work = text<&readiness>(),
       .statuses = {200, 503}},
      {.path = "/healthz",
       .name = "isHealthy",
       .group = "probes",
       .summary = "The same as /readyz",
       .work = text<&readiness>(),
       .statuses = {200, 503}},
      {.path = "/metrics",
       .name = "getMetrics",
       .group = "probes",
       .summary = "Counters and gauges in the text format of Prometheus, version 0.0.4",
       .work = text<&metrics>()},
  };
}

}  // namespace freehold::api
