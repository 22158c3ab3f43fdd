// The verbs that only look.
#include <fmt/core.h>
#include <unistd.h>

#include <thread>

#include "cli/doctor.h"
#include "cli/offline.h"
#include "cli/project.h"
#include "cli/render.h"
#include "cli/state_directory.h"
#include "cli/verbs.h"
#include "http/path.h"
#include "os/clock.h"

namespace freehold::cli {
namespace {

constexpr Duration kRefresh = std::chrono::seconds(1);

template <class T>
Result<T> fetch(const Invocation& invocation, const std::string& target) {
  FH_ASSIGN(model::Layout layout, layout_of(invocation));
  Session session(invocation, layout);
  return decode<T>(session.get(target));
}

// From the state, where nobody answers and there is one; `look` says what of it.
template <class T>
Result<T> fetch_or_look(const Invocation& invocation, const std::string& target,
                        const std::function<Result<T>(const Offline&)>& look) {
  auto answer = fetch<T>(invocation, target);
  if (answer || answer.error().code() != ErrorCode::kUnavailable) return answer;
  FH_ASSIGN(model::Layout layout, layout_of(invocation));
  auto offline = Offline::open(os::system_disk(), layout);
  if (!offline && offline.error().code() == ErrorCode::kNotFound) return answer;
  if (!offline) return offline.error();
  if (invocation.output == OutputForm::kHuman) talk(offline->explain(os::system_clock().wall()));
  return look(*offline);
}

// A stream of ndjson, each line shown as it comes.
int show_stream(const Invocation& invocation, const std::string& target,
                std::string (*render)(const codec::Json&, bool)) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  auto followed = session.follow(target, [&](const codec::Json& line) {
    print(invocation.output == OutputForm::kHuman ? render(line, invocation.color) : line.dump() + "\n");
    return true;
  });
  return followed ? kDone : fail(invocation, followed.error());
}

}  // namespace

int run_status(const Invocation& invocation) {
  for (;;) {
    auto status = fetch<api::Status>(invocation, "/v1/status");
    if (!status && !invocation.watch) return fail(invocation, status.error());
    std::string text;
    if (!status) {
      text = fmt::format("freehold: {}\n", status.error().message());
    } else {
      text = invocation.output == OutputForm::kHuman
                 ? render_status(*status, os::system_clock().wall(), invocation.color)
                 : codec::to_json(*status).dump() + "\n";
    }
    bool screen = invocation.watch && invocation.output == OutputForm::kHuman && isatty(STDOUT_FILENO) == 1;
    print(screen ? "\033[H\033[J" + text : text);
    if (!invocation.watch) return kDone;
    std::this_thread::sleep_for(kRefresh);
  }
}

int run_history(const Invocation& invocation) {
  auto history = fetch_or_look<std::vector<api::GenerationSummary>>(
      invocation, "/v1/generations", [](const Offline& offline) { return offline.history(); });
  if (!history) return fail(invocation, history.error());
  if (invocation.output == OutputForm::kHuman) {
    print(render_history(*history, os::system_clock().wall(), invocation.color));
  } else if (invocation.output == OutputForm::kJson) {
    print(codec::to_json(*history).dump() + "\n");
  } else {
    for (const api::GenerationSummary& generation : *history) print(codec::to_json(generation).dump() + "\n");
  }
  return kDone;
}

int run_diff(const Invocation& invocation) {
  auto from = parse_generation(invocation.arguments[0]);
  auto to = parse_generation(invocation.arguments[1]);
  if (!from || !to) {
    talk(fmt::format("freehold: {}\n", (from ? to : from).error().message()));
    return kUsage;
  }
  auto answer = fetch_or_look<api::PlanAnswer>(
      invocation, fmt::format("/v1/diff?from={}&to={}", *from, *to),
      [&](const Offline& offline) { return offline.diff(*from, *to, os::system_clock().wall()); });
  if (!answer) return fail(invocation, answer.error());
  print(invocation.output == OutputForm::kHuman ? answer->text : answer->plan.dump() + "\n");
  return kDone;
}

int run_events(const Invocation& invocation) {
  std::string target = fmt::format("/v1/events?follow={}", invocation.follow ? 1 : 0);
  if (!invocation.arguments.empty()) target += "&subject=" + http::percent_encode(invocation.arguments[0]);
  if (invocation.after) target += fmt::format("&after={}", *invocation.after);
  if (!invocation.after) target += fmt::format("&last={}", invocation.lines.value_or(50));
  return show_stream(invocation, target, &render_event);
}

int run_logs(const Invocation& invocation) {
  std::string target =
      fmt::format("/v1/logs?follow={}&last={}", invocation.follow ? 1 : 0, invocation.lines.value_or(200));
  if (!invocation.arguments.empty()) target += "&service=" + http::percent_encode(invocation.arguments[0]);
  if (!invocation.since.empty()) {
    // A span of time, or a point in it.
    auto span = parse_duration(invocation.since);
    auto point = span ? Result<WallTime>(os::system_clock().wall() - *span) : parse_time(invocation.since);
    if (!point) {
      talk(fmt::format("freehold: '{}' is neither a duration such as 10m nor a time such as 2026-03-01T12:00:00Z\n",
                       invocation.since));
      return kUsage;
    }
    target += "&since=" + http::percent_encode(format_time(*point));
  }
  return show_stream(invocation, target, &render_log_line);
}

int run_doctor(const Invocation& invocation) {
  os::Disk& disk = os::system_disk();
  std::string file = config_path(invocation);
  std::vector<uint16_t> ports;
  LoadedProject loaded = load_project(disk, file, Depth::kTextOnly);
  if (loaded.project) {
    for (const model::Listen& listen : loaded.project->organisation.gateway.http) ports.push_back(listen.port);
  }
  // Without a file it is about the machine alone.
  auto state = find_state_directory(disk, invocation.state, organisation_name(disk, file));
  auto base = state_base();
  std::vector<Finding> findings = judge(gather_facts(state ? *state : base ? *base : "/", std::move(ports)));
  if (invocation.output == OutputForm::kHuman) {
    print(render_doctor(findings, invocation.color));
  } else {
    print(codec::to_json(findings).dump() + "\n");
  }
  for (const Finding& finding : findings) {
    if (finding.verdict == Verdict::kBad) return kFailed;
  }
  return kDone;
}

}  // namespace freehold::cli
