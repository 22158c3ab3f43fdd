// The verbs that change something, and following what they begin.
#include <fmt/core.h>

#include <charconv>
#include <thread>

#include "base/text.h"
#include "cli/daemons.h"
#include "cli/render.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace freehold::cli {
namespace {

constexpr Duration kDownTime = std::chrono::seconds(90);
constexpr Duration kRetry = std::chrono::milliseconds(200);
constexpr int kMostRetries = 150;  // 30 s without control

// Posts, and follows the rollout that comes of it.
int change(const Invocation& invocation, const std::string& target, const codec::Json& body) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  auto json = session.post(target, body);
  auto answer = json ? codec::from_json<api::ChangeAnswer>(*json) : Result<api::ChangeAnswer>(json.error());
  if (!answer) return fail(invocation, answer.error());
  return follow_rollout(session, *answer);
}

ExitCode code_of(std::string_view outcome) {
  if (outcome == "done") return kDone;
  return outcome == "undone" ? kRolledBack : kFailed;
}

void show_step(const Invocation& invocation, const codec::Json& event) {
  if (invocation.output == OutputForm::kNdjson) return print(event.dump() + "\n");
  if (invocation.output == OutputForm::kJson) return;
  const std::string& message = event["message"].as_string();
  if (message.empty()) return;
  const std::string& subject = event["subject"].as_string();
  // Most messages name their subject already.
  std::string line = message.starts_with(subject) || subject.starts_with("generation ")
                         ? message
                         : fmt::format("{}: {}", subject, message);
  print(fmt::format("{} {}\n", paint(event["time"].as_string().substr(11, 8), Tone::kDim, invocation.color), line));
}

}  // namespace

int follow_rollout(Session& session, const api::ChangeAnswer& change) {
  const Invocation& invocation = session.invocation();
  if (change.rollout == 0) {
    if (invocation.output == OutputForm::kHuman)
      print(fmt::format("nothing to do: generation {} runs as it is\n", change.generation));
    if (invocation.output != OutputForm::kHuman) print(codec::to_json(change).dump() + "\n");
    return kDone;
  }
  uint64_t after = change.event;
  std::string outcome;
  codec::Json last;
  for (int retries = 0; outcome.empty() && retries < kMostRetries; ++retries) {
    // Control may be killed and come back meanwhile: the stream goes on where it was.
    auto followed = session.follow(fmt::format("/v1/events?follow=1&after={}", after), [&](const codec::Json& event) {
      retries = 0;
      after = static_cast<uint64_t>(event["id"].as_integer());
      if (event["detail"]["rollout"].as_integer() != static_cast<int64_t>(change.rollout)) return true;
      const std::string& kind = event["kind"].as_string();
      std::string_view end = std::string_view(kind).substr(kind.rfind('.') + 1);
      bool whole = event["subject"].as_string().starts_with("generation ") && !kind.starts_with("rollout.");
      if (whole && (end == "done" || end == "undone" || end == "failed")) {
        outcome = end;
        last = event;
        return false;
      }
      if (!kind.starts_with("rollout.done") && !kind.starts_with("rollout.failed") &&
          !kind.starts_with("rollout.undone"))
        show_step(invocation, event);
      return true;
    });
    if (!followed && followed.error().code() == ErrorCode::kDenied) return fail(invocation, followed.error());
    if (outcome.empty()) std::this_thread::sleep_for(kRetry);
  }
  if (outcome.empty())
    return fail(invocation, Error(ErrorCode::kUnavailable,
                                  "control went away before the end; see `freehold status` and `freehold events`"));
  if (invocation.output == OutputForm::kHuman) {
    Tone tone = outcome == "done" ? Tone::kGood : Tone::kBad;
    const std::string& message = last["message"].as_string();
    print(paint(message.starts_with(outcome) ? message + "\n" : fmt::format("{}: {}\n", outcome, message), tone,
                invocation.color));
  } else {
    codec::Json json;
    json.set("outcome", outcome)
        .set("rollout", change.rollout)
        .set("generation", change.generation)
        .set("message", last["message"].as_string());
    print(json.dump() + "\n");
  }
  return code_of(outcome);
}

int run_down(const Invocation& invocation) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  if (!session.answers(Session::Need::kAlive)) {
    auto finished = finish_by_agent(session, Instances::kStop);
    if (!finished) return fail(invocation, finished.error());
    auto gone = wait_until_gone(session, kDownTime);
    return gone ? kDone : fail(invocation, gone.error());
  }
  auto json = session.post("/v1/down", codec::Json::object());
  auto answer = json ? codec::from_json<api::ChangeAnswer>(*json) : Result<api::ChangeAnswer>(json.error());
  if (!answer) return fail(invocation, answer.error());
  int code = answer->rollout == 0 ? kDone : follow_rollout(session, *answer);
  if (code != kDone) return code;
  auto gone = wait_until_gone(session, kDownTime);
  return gone ? kDone : fail(invocation, gone.error());
}

int run_restart(const Invocation& invocation) {
  return change(invocation, fmt::format("/v1/services/{}/restart", invocation.arguments[0]), codec::Json::object());
}

int run_scale(const Invocation& invocation) {
  api::ServiceRequest request;
  uint32_t replicas = 0;
  const std::string& text = invocation.arguments[1];
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), replicas);
  if (failure != std::errc() || stop != text.data() + text.size()) {
    talk(fmt::format("freehold: '{}' is not a number of instances, such as 3\n", text));
    return kUsage;
  }
  request.replicas = replicas;
  return change(invocation, fmt::format("/v1/services/{}/scale", invocation.arguments[0]), codec::to_json(request));
}

int run_drain(const Invocation& invocation) {
  return change(invocation, "/v1/drain", codec::to_json(api::DrainRequest{invocation.arguments[0], invocation.off}));
}

int run_rollback(const Invocation& invocation) {
  api::RollbackRequest request;
  if (!invocation.arguments.empty()) {
    uint64_t number = 0;
    const std::string& text = invocation.arguments[0];
    auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || stop != text.data() + text.size()) {
      talk(fmt::format("freehold: '{}' is not the number of a generation; see `freehold history`\n", text));
      return kUsage;
    }
    request.generation = number;
  }
  return change(invocation, "/v1/rollback", codec::to_json(request));
}

}  // namespace freehold::cli
