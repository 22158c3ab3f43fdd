// The verbs that may go on: events, logs, status --watch.
#include <fmt/core.h>

#include <thread>

#include "base/text.h"
#include "cli/columns.h"
#include "cli/follow.h"
#include "cli/render.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "http/path.h"
#include "os/clock.h"

namespace freehold::cli {
namespace {

constexpr Duration kRefresh = std::chrono::seconds(1);

// Only the service that was asked for, if one was.
Result<void> narrow(const Invocation& invocation, api::Status& status) {
  if (invocation.arguments.empty()) return {};
  const std::string& wanted = invocation.arguments[0];
  std::vector<std::string_view> names;
  for (const api::ServiceStatus& service : status.services) names.push_back(service.name);
  std::string_view near = near_name(wanted, names);
  if (near != wanted) {
    return Error(ErrorCode::kNotFound, fmt::format("there is no service '{}'{}", wanted,
                                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  std::erase_if(status.services, [&](const api::ServiceStatus& service) { return service.name != wanted; });
  return {};
}

std::string text_of(const Invocation& invocation, const api::Status& status) {
  if (invocation.output != OutputForm::kHuman) return codec::to_json(status).dump() + "\n";
  return render_status(status, os::system_clock().wall(), invocation.color);
}

// Shows each status that comes. On a terminal in its place, with times that go on; what does not fit is said.
class StatusWatch {
 public:
  StatusWatch(const Invocation& invocation, Session& session)
      : invocation_(invocation),
        session_(session),
        live_(invocation.output == OutputForm::kHuman && Screen::is_there()) {}

  int run() {
    for (;;) {
      Tick tick;
      if (live_) tick = {kRefresh, [this] { draw(); }};
      auto followed = session_.follow(
          "/v1/status?follow=1",
          [&](const codec::Json& line) {
            auto status = codec::from_json<api::Status>(line);
            problem_ = status ? narrow(invocation_, *status) : Result<void>(status.error());
            if (problem_) show(*std::move(status));
            return problem_.ok();
          },
          tick);
      if (!problem_) return fail(invocation_, problem_.error());
      // Nobody was ever there, or they do not want us; what was shown once is waited for.
      if (!followed && (!status_ || followed.error().code() == ErrorCode::kDenied))
        return fail(invocation_, followed.error());
      away_ = followed ? "control ended" : followed.error().message();
      if (live_) draw();
      std::this_thread::sleep_for(kRefresh);
    }
  }

 private:
  void show(api::Status status) {
    status_ = std::move(status);
    away_.clear();
    live_ ? draw() : print(text_of(invocation_, *status_));
  }

  void draw() {
    if (!status_) return;
    Size size = Screen::size();
    std::vector<std::string> lines;
    if (!away_.empty()) lines.push_back(fmt::format("as it was last: {}", away_));
    std::string text = text_of(invocation_, *status_);
    for (std::string_view line : split(trim(text), '\n')) lines.emplace_back(line);
    size_t most = std::max<size_t>(size.rows, 3) - 1;
    if (lines.size() > most) {
      size_t rest = lines.size() - most + 1;
      lines.resize(most - 1);
      lines.push_back(fmt::format("... {} more lines; `freehold status` has them all", rest));
    }
    for (std::string& line : lines) line = fit(line, size.columns - 1);
    screen_.draw(std::move(lines));
  }

  const Invocation& invocation_;
  Session& session_;
  bool live_;
  Screen screen_;
  std::optional<api::Status> status_;
  std::string away_;  // why there is no newer one
  Result<void> problem_;
};

}  // namespace

int run_status(const Invocation& invocation) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  if (invocation.watch) return StatusWatch(invocation, session).run();
  auto json = session.get("/v1/status");
  auto status = json ? codec::from_json<api::Status>(*json) : Result<api::Status>(json.error());
  if (!status) return fail(invocation, status.error());
  auto narrowed = narrow(invocation, *status);
  if (!narrowed) return fail(invocation, narrowed.error());
  print(text_of(invocation, *status));
  return kDone;
}

int run_events(const Invocation& invocation) {
  std::string base = fmt::format("/v1/events?follow={}", invocation.follow ? 1 : 0);
  if (!invocation.arguments.empty()) base += "&subject=" + http::percent_encode(invocation.arguments[0]);
  EventPlace place(base + (invocation.after ? fmt::format("&after={}", *invocation.after)
                                            : fmt::format("&last={}", invocation.lines.value_or(50))));
  place.resume_with(base);
  return show_stream(invocation, place, &render_event);
}

int run_logs(const Invocation& invocation) {
  std::string base = fmt::format("/v1/logs?follow={}", invocation.follow ? 1 : 0);
  if (invocation.access) base += "&access=1";
  if (!invocation.arguments.empty()) base += "&service=" + http::percent_encode(invocation.arguments[0]);
  std::string first = base;
  // All since a moment, but not all that there ever was.
  if (invocation.lines || invocation.since.empty()) first += fmt::format("&last={}", invocation.lines.value_or(200));
  WallTime now = os::system_clock().wall();
  if (!invocation.since.empty()) {
    // A span of time, or a point in it.
    auto span = parse_duration(invocation.since);
    auto point = span ? Result<WallTime>(now - *span) : parse_time(invocation.since);
    if (!point) {
      return fail_usage(invocation,
                        fmt::format("'{}' is neither a duration such as 10m nor a time such as 2026-03-01T12:00:00Z",
                                    invocation.since));
    }
    first += "&since=" + http::percent_encode(format_time(*point));
  }
  LogPlace place(std::move(first), std::move(base), now);
  return show_stream(invocation, place, invocation.access ? &render_access_line : &render_log_line);
}

}  // namespace freehold::cli
