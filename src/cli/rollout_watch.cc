#include "cli/rollout_watch.h"

#include <fmt/core.h>

#include <thread>

#include "cli/progress_view.h"
#include "cli/project.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "os/clock.h"

namespace freehold::cli {
namespace {

constexpr Duration kRetry = std::chrono::milliseconds(200);
constexpr int kMostRetries = 150;  // 30 s without control
constexpr Duration kRhythm = std::chrono::milliseconds(100);
constexpr Duration kOldest = std::chrono::seconds(1);  // what is shown, where no event came

ExitCode code_of(std::string_view outcome) {
  if (outcome == "done") return kDone;
  return outcome == "undone" ? kRolledBack : kFailed;
}

class RolloutWatch {
 public:
  RolloutWatch(Session& session, const api::ChangeAnswer& change)
      : session_(session),
        change_(change),
        live_(session.invocation().output == OutputForm::kHuman && Screen::is_there()) {}

  Result<int> run() {
    uint64_t after = change_.event;
    for (int retries = 0; outcome_.empty(); ++retries) {
      if (retries == kMostRetries) {
        return Error(ErrorCode::kUnavailable,
                     "control went away before the end; see `freehold status` and `freehold events`");
      }
      if (retries > 0) std::this_thread::sleep_for(kRetry);
      // Control may be killed and come back meanwhile: the stream goes on where it was.
      auto on_line = [&](const codec::Json& event) {
        retries = 0;
        after = static_cast<uint64_t>(event["id"].as_integer());
        return take(event);
      };
      Tick tick;
      if (live_) tick = {kRhythm, [this] { draw_if_due(); }};
      auto followed = session_.follow(fmt::format("/v1/events?follow=1&after={}", after), on_line, tick);
      FH_TRY(session_.attend());
      if (!followed && followed.error().code() == ErrorCode::kDenied) return followed.error();
    }
    if (live_) draw();
    show_end();
    return change_.undoes && outcome_ == "undone" ? kDone : code_of(outcome_);
  }

 private:
  // False at its end.
  bool take(const codec::Json& event) {
    if (event["detail"]["rollout"].as_integer() != static_cast<int64_t>(change_.rollout)) {
      // Health is no event of the rollout, but part of how far it is.
      news_ = true;
      return true;
    }
    const std::string& kind = event["kind"].as_string();
    std::string_view end = std::string_view(kind).substr(kind.rfind('.') + 1);
    bool of_the_end = end == "done" || end == "undone" || end == "failed";
    if (kind.starts_with("rollout.") && of_the_end) return true;
    if (event["subject"].as_string().starts_with("generation ") && of_the_end) {
      outcome_ = end;
      message_ = event["message"].as_string();
      return false;
    }
    news_ = true;
    if (!live_) show_step(event);
    return true;
  }

  void show_step(const codec::Json& event) const {
    const Invocation& invocation = session_.invocation();
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

  void draw_if_due() {
    if (!news_ && os::system_clock().monotonic() - drawn_ < kOldest) return;
    draw();
  }

  // Where it cannot be asked, what was drawn last stands.
  void draw() {
    news_ = false;
    drawn_ = os::system_clock().monotonic();
    auto json = session_.get("/v1/rollout");
    auto status = json ? codec::from_json<api::RolloutStatus>(*json) : Result<api::RolloutStatus>(json.error());
    if (!status || status->id != change_.rollout) return;
    screen_.draw(progress_lines(*status, Screen::size(), session_.invocation().color));
  }

  void show_end() const {
    const Invocation& invocation = session_.invocation();
    if (invocation.output == OutputForm::kHuman) {
      Tone tone = outcome_ == "done" ? Tone::kGood : Tone::kBad;
      std::string text = message_.starts_with(outcome_) ? message_ : fmt::format("{}: {}", outcome_, message_);
      print(paint(text, tone, invocation.color) + "\n");
      if (outcome_ != "done")
        talk(fmt::format("`freehold logs{0}` has what was printed, `freehold events{0}` what happened\n",
                         options_of(session_)));
      return;
    }
    show_outcome(invocation, outcome_, change_, message_);
  }

  Session& session_;
  const api::ChangeAnswer& change_;
  bool live_;
  Screen screen_;
  bool news_ = true;
  MonotonicTime drawn_{};
  std::string outcome_;
  std::string message_;
};

}  // namespace

void show_outcome(const Invocation& invocation, const std::string& outcome, const api::ChangeAnswer& change,
                  const std::string& message) {
  if (invocation.output == OutputForm::kHuman) return;
  codec::Json json;
  json.set("outcome", outcome)
      .set("rollout", change.rollout)
      .set("generation", change.generation)
      .set("message", message);
  print(json.dump() + "\n");
}

Result<int> watch_rollout(Session& session, const api::ChangeAnswer& change) {
  if (change.rollout != 0) return RolloutWatch(session, change).run();
  std::string text = fmt::format("nothing to do: generation {} runs as it is", change.generation);
  if (session.invocation().output == OutputForm::kHuman) print(text + "\n");
  show_outcome(session.invocation(), "done", change, text);
  return kDone;
}

int follow_rollout(Session& session, const api::ChangeAnswer& change, std::string_view way_back) {
  session.heed_signals();
  auto code = watch_rollout(session, change);
  if (auto signal = session.asked_to_end()) {
    std::string options = options_of(session);
    std::string text =
        fmt::format("not watched any more, and it goes on; `freehold status --watch{}` shows it", options);
    if (!way_back.empty()) text += fmt::format(", `{}{}` takes it back", way_back, options);
    (void)fail(session.invocation(), Error(ErrorCode::kCancelled, text));
    end_by(*signal);
  }
  return code ? *code : fail(session.invocation(), code.error());
}

std::string options_of(const Session& session) {
  std::string file = config_path(session.invocation());
  std::string out = file == config_path({}) ? "" : fmt::format(" -c {}", file);
  if (!session.invocation().state.empty()) out += fmt::format(" --state {}", session.layout().root);
  return out;
}

}  // namespace freehold::cli
