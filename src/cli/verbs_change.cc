// The verbs that change something, and following what they begin.
#include <fmt/core.h>

#include <charconv>

#include "cli/daemons.h"
#include "cli/machine.h"
#include "cli/rollout_watch.h"
#include "cli/verbs.h"

namespace freehold::cli {
namespace {

constexpr Duration kDownTime = std::chrono::seconds(90);

// Posts, and follows the rollout that comes of it.
int change(const Invocation& invocation, const std::string& target, const codec::Json& body) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  auto answer = decode<api::ChangeAnswer>(session.post(target, body));
  if (!answer) return fail(invocation, answer.error());
  if (invocation.output == OutputForm::kHuman) print(answer->text);
  return follow_rollout(session, *answer);
}

}  // namespace

Result<int> stop_platform(Session& session) {
  int code = kDone;
  if (!session.answers(Session::Need::kAlive)) {
    FH_TRY(session.attend());
    FH_TRY(finish_by_agent(session, Instances::kStop));
    // Control, which would say so, is gone.
    show_outcome(session.invocation(), "done", {}, "stopped by the agent");
  } else {
    FH_ASSIGN(codec::Json json, session.post("/v1/down", codec::Json::object()));
    FH_ASSIGN(api::ChangeAnswer answer, codec::from_json<api::ChangeAnswer>(json));
    if (answer.rollout != 0) {
      FH_ASSIGN(code, watch_rollout(session, answer));
    } else {
      show_outcome(session.invocation(), "done", answer, "nothing was ever applied");
    }
    // The machine's daemons stay, for the next `up`.
    if (code != kDone || is_machine_state(session.layout())) return code;
  }
  FH_TRY(wait_until_gone(session, kDownTime));
  return code;
}

int run_down(const Invocation& invocation) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  session.heed_signals();
  return end_of_stopping(session, stop_platform(session));
}

int end_of_stopping(Session& session, const Result<int>& code) {
  if (auto signal = session.asked_to_end()) {
    (void)fail(session.invocation(),
               Error(ErrorCode::kCancelled, fmt::format("not watched any more; what was begun goes on, "
                                                        "`freehold status{}` shows it",
                                                        options_of(session))));
    end_by(*signal);
  }
  return code ? *code : fail(session.invocation(), code.error());
}

int run_restart(const Invocation& invocation) {
  return change(invocation, fmt::format("/v1/services/{}/restart", invocation.arguments[0]), codec::Json::object());
}

int run_scale(const Invocation& invocation) {
  api::ScaleRequest request;
  uint32_t replicas = 0;
  const std::string& text = invocation.arguments[1];
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), replicas);
  if (failure != std::errc() || stop != text.data() + text.size()) {
    return fail_usage(invocation, fmt::format("'{}' is not a number of instances, such as 3", text));
  }
  request.replicas = replicas;
  return change(invocation, fmt::format("/v1/services/{}/scale", invocation.arguments[0]), codec::to_json(request));
}

int run_drain(const Invocation& invocation) {
  return change(invocation, "/v1/drain", codec::to_json(api::DrainRequest{invocation.arguments[0], invocation.off}));
}

std::optional<uint64_t> number_of_generation(const Invocation& invocation, const std::string& text) {
  uint64_t number = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc() && stop == text.data() + text.size() && number > 0) return number;
  (void)fail_usage(invocation, fmt::format("'{}' is not the number of a generation; see `freehold history`", text));
  return std::nullopt;
}

int run_rollback(const Invocation& invocation) {
  api::RollbackRequest request;
  if (!invocation.arguments.empty()) {
    request.generation = number_of_generation(invocation, invocation.arguments[0]);
    if (!request.generation) return kUsage;
  }
  return change(invocation, "/v1/rollback", codec::to_json(request));
}

}  // namespace freehold::cli
