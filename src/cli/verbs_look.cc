// The verbs that only look.
#include <fmt/core.h>

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

}  // namespace

int run_history(const Invocation& invocation) {
  auto history = fetch_or_look<std::vector<api::GenerationSummary>>(
      invocation, "/v1/generations", [](const Offline& offline) { return offline.history(); });
  if (!history) return fail(invocation, history.error());
  if (invocation.output == OutputForm::kHuman) {
    print(render_history(*history, os::system_clock().wall(), invocation.color));
  } else {
    print_list(invocation, codec::to_json(*history));
  }
  return kDone;
}

int run_diff(const Invocation& invocation) {
  auto from = number_of_generation(invocation, invocation.arguments[0]);
  auto to = from ? number_of_generation(invocation, invocation.arguments[1]) : std::nullopt;
  if (!from || !to) return kUsage;
  auto answer = fetch_or_look<api::PlanAnswer>(
      invocation, fmt::format("/v1/diff?from={}&to={}", *from, *to),
      [&](const Offline& offline) { return offline.diff(*from, *to, os::system_clock().wall()); });
  if (!answer) return fail(invocation, answer.error());
  print(invocation.output == OutputForm::kHuman ? answer->text : codec::to_json(answer->plan).dump() + "\n");
  return kDone;
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
  auto state = find_state_directory(disk, invocation.state, outline_of(disk, file).name);
  auto base = state_base();
  std::vector<Finding> findings = judge(gather_facts(state ? *state : base ? *base : "/", std::move(ports)));
  if (invocation.output == OutputForm::kHuman) {
    print(render_doctor(findings, invocation.color));
  } else {
    print_list(invocation, codec::to_json(findings));
  }
  for (const Finding& finding : findings) {
    if (finding.verdict == Verdict::kBad) return kFailed;
  }
  return kDone;
}

}  // namespace freehold::cli
