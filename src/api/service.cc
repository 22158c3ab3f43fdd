#include "api/service.h"

#include <fmt/core.h>

#include "api/answers.h"
#include "api/call.h"
#include "api/follower.h"
#include "base/text.h"
#include "http/path.h"

namespace freehold::api {
namespace {

constexpr uint64_t kLargestRequest = uint64_t{64} << 20;
constexpr uint64_t kLargestBlob = uint64_t{4} << 30;
constexpr std::string_view kJsonType = "application/json";

template <class T>
http::Response json_response(const T& value, uint16_t status = 200) {
  return http::response_of(status, kJsonType, codec::to_json(value).dump() + "\n");
}

Result<http::Response> accepted(const Result<control::Accepted>& result) {
  if (!result) return result.error();
  return json_response(ChangeAnswer{result->rollout, result->generation, result->event, result->undoes, result->text},
                       result->rollout == 0 ? 200 : 202);
}

// Takes a blob to the disk as it arrives.
class UploadSink : public http::BodySink {
 public:
  UploadSink(std::shared_ptr<http::Exchange> exchange, contents::Upload upload, std::string digest)
      : exchange_(std::move(exchange)), upload_(std::move(upload)), digest_(std::move(digest)) {}

  Result<void> on_data(std::string_view bytes) override { return upload_.append(bytes); }
  void on_end() override {
    auto done = upload_.finish(digest_);
    exchange_->respond(done ? http::response_of(201, kJsonType, "{}\n") : problem_response(done.error()));
  }
  void on_failed(const Error& error) override {
    if (!exchange_->answered()) exchange_->respond(problem_response(error));
  }

 private:
  std::shared_ptr<http::Exchange> exchange_;
  contents::Upload upload_;
  std::string digest_;
};

}  // namespace

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
  Problem problem{std::string(to_string(error.code())), error.message(), {}};
  return json_response(problem, status_of(error.code()));
}

ApiService::ApiService(runtime::Loop& loop, control::Controller& controller, contents::ContentStore& contents,
                       events::EventLog& events, Options options)
    : loop_(loop), controller_(controller), contents_(contents), events_(events), options_(std::move(options)) {
  controller_.when_changed([this] { tell_followers(); });
}

ApiService::~ApiService() { controller_.when_changed({}); }

void ApiService::get(Call& call) {
  const std::string& path = call.path;
  // Nobody would see what goes on.
  bool streams = path == "/v1/events" || path == "/v1/logs" || call.text("follow") == "1";
  if (streams && call.exchange->head().method_id == http::Method::kHead)
    return call.respond(http::response_of(200, "application/x-ndjson", ""));
  if (path == "/v1/events") return follow_events(call);
  if (path == "/v1/logs") return follow_logs(call);
  if (path == "/v1/status" && call.text("follow") == "1") return follow_status(call);
  Answer answer = Error(ErrorCode::kNotFound, fmt::format("there is nothing at {}", path));
  if (path == "/v1/status") answer = status_answer();
  if (path == "/v1/generations") answer = generations_answer(call);
  if (path.starts_with("/v1/generations/"))
    answer = generation_answer(call, path.substr(std::string_view("/v1/generations/").size()));
  if (path == "/v1/diff") answer = diff_answer(call);
  if (path == "/v1/rollout") answer = rollout_answer();
  if (path == "/v1/jobs") answer = json_response(make_jobs_answer(controller_));
  if (path == "/livez") answer = http::response_of(200, "text/plain; charset=utf-8", "ok\n");
  if (path == "/readyz" || path == "/healthz") answer = readiness_answer();
  if (path == "/metrics") answer = metrics_answer();
  call.respond(std::move(answer));
}

void ApiService::post(const std::shared_ptr<Call>& call) {
  call->exchange->collect_body(kLargestRequest, [this, call](const std::string& body) {
    auto json = body.empty() ? Result<codec::Json>(codec::Json::object()) : codec::Json::parse(body);
    if (!json) return call->respond(json.error().with_context("the body"));
    call->respond(change(*call, *json));
  });
}

// Never blindly: it says which generation it was planned against, in its body or as If-Match, or that any will do
// ("*").
ApiService::Answer ApiService::apply(const Call& call, const codec::Json& body) {
  FH_ASSIGN(model::Submission submission, codec::from_json<model::Submission>(body));
  FH_ASSIGN(std::optional<uint64_t> match, base_of(call.exchange->head()));
  if (!submission.base && call.exchange->head().find("If-Match") == nullptr) {
    http::Response response =
        problem_response(Error(ErrorCode::kInvalid,
                               "an apply names the generation that it was planned against: \"base\", or If-Match with "
                               "the ETag of /v1/generations/current"));
    response.status = 428;
    return response;
  }
  if (match && *match != controller_.current()) {
    http::Response response = problem_response(
        Error(ErrorCode::kConflict,
              fmt::format("generation {} is the current one, and not {}: plan again", controller_.current(), *match)));
    response.status = 412;
    return response;
  }
  return accepted(controller_.apply(submission, call.who));
}

ApiService::Answer ApiService::change(const Call& call, const codec::Json& body) {
  const std::string& path = call.path;
  if (path == "/v1/plan") {
    FH_ASSIGN(model::Submission submission, codec::from_json<model::Submission>(body));
    FH_ASSIGN(control::Plan plan, controller_.plan(submission, call.who));
    return json_response(plan_answer(plan));
  }
  if (path == "/v1/apply") return apply(call, body);
  if (path == "/v1/contents/missing") {
    FH_ASSIGN(std::vector<std::string> wanted, codec::from_json<std::vector<std::string>>(body));
    std::vector<std::string> missing;
    for (const std::string& digest : wanted) {
      FH_ASSIGN(bool there, contents_.hold(digest));
      if (!there) missing.push_back(digest);
    }
    return json_response(missing);
  }
  if (path == "/v1/rollback") {
    FH_ASSIGN(RollbackRequest request, codec::from_json<RollbackRequest>(body));
    return accepted(controller_.rollback(request.generation, call.who));
  }
  if (path == "/v1/drain") {
    FH_ASSIGN(DrainRequest request, codec::from_json<DrainRequest>(body));
    return accepted(controller_.drain(request.subject, request.off, call.who));
  }
  if (path == "/v1/down") return accepted(controller_.down(call.who));
  constexpr std::string_view kServices = "/v1/services/";
  if (path.starts_with(kServices)) {
    auto parts = split(std::string_view(path).substr(kServices.size()), '/');
    if (parts.size() == 2 && parts[1] == "restart")
      return accepted(controller_.restart(std::string(parts[0]), call.who));
    if (parts.size() == 2 && parts[1] == "scale") {
      FH_ASSIGN(ServiceRequest request, codec::from_json<ServiceRequest>(body));
      if (!request.replicas) return Error(ErrorCode::kInvalid, "replicas is missing");
      return accepted(controller_.scale(std::string(parts[0]), *request.replicas, call.who));
    }
  }
  return Error(ErrorCode::kNotFound, fmt::format("nothing can be posted to {}", path));
}

void ApiService::upload(Call& call) {
  constexpr std::string_view kContents = "/v1/contents/";
  if (!call.path.starts_with(kContents))
    return call.respond(Error(ErrorCode::kNotFound, fmt::format("nothing can be put at {}", call.path)));
  auto upload = contents_.begin_upload();
  if (!upload) return call.respond(upload.error());
  call.exchange->stream_body(kLargestBlob, std::make_unique<UploadSink>(call.exchange, *std::move(upload),
                                                                        call.path.substr(kContents.size())));
}

ApiService::Answer ApiService::diff_answer(const Call& call) {
  FH_ASSIGN(uint64_t from, call.number("from"));
  FH_ASSIGN(uint64_t to, call.number("to"));
  FH_ASSIGN(control::Plan plan, controller_.diff(from, to));
  return json_response(plan_answer(plan));
}

ApiService::Answer ApiService::status_answer() { return json_response(make_status(controller_)); }

ApiService::Answer ApiService::rollout_answer() { return json_response(make_rollout_status(controller_)); }

ApiService::Answer ApiService::generations_answer(const Call&) {
  FH_ASSIGN(std::vector<control::GenerationHead> history, controller_.history());
  return json_response(summaries_of(history));
}

ApiService::Answer ApiService::generation_answer(const Call&, const std::string& number_text) {
  FH_ASSIGN(uint64_t number,
            parse_number(number_text == "current" ? std::to_string(controller_.current()) : number_text));
  FH_ASSIGN(control::Generation generation, controller_.generation(number));
  http::Response response = json_response(generation);
  // What If-Match on /v1/apply takes. How a generation ended may change once more; so it is asked for anew each time.
  response.fields.emplace_back("ETag", fmt::format("\"{}\"", number));
  response.fields.emplace_back("Cache-Control", "no-cache");
  return response;
}

ApiService::Answer ApiService::readiness_answer() {
  if (controller_.connected()) return http::response_of(200, "text/plain; charset=utf-8", "ok\n");
  return http::response_of(503, "text/plain; charset=utf-8", "no agent is connected\n");
}

}  // namespace freehold::api
