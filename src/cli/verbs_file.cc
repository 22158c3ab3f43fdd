// validate, plan, up: the verbs that read the file.
#include <fmt/core.h>
#include <unistd.h>

#include <thread>

#include "cli/daemons.h"
#include "cli/offline.h"
#include "cli/project.h"
#include "cli/rollout_watch.h"
#include "cli/state_directory.h"
#include "cli/verbs.h"
#include "os/clock.h"

namespace freehold::cli {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(200);

Result<void> upload_contents(Session& session, const Project& project) {
  std::map<std::string, const contents::Capture*> wanted;
  for (const contents::Capture& capture : project.captures) {
    for (const auto& [digest, path] : capture.sources) wanted[digest] = &capture;
  }
  codec::Json digests = codec::Json::array();
  for (const auto& [digest, capture] : wanted) digests.push(digest);
  if (digests.items().empty()) return {};
  FH_ASSIGN(codec::Json missing, session.post("/v1/contents/missing", digests));
  size_t done = 0;
  for (const codec::Json& each : missing.items()) {
    const std::string& digest = each.as_string();
    FH_TRY(upload_blob(session, *wanted.at(digest), digest));
    if (++done % 100 == 0 && session.invocation().output == OutputForm::kHuman)
      talk(fmt::format("{} of {} files taken\n", done, missing.items().size()));
  }
  return {};
}

// Without a daemon: from the state, or against nothing where there is none.
Result<api::PlanAnswer> plan_offline(const Invocation& invocation, const model::Layout& layout,
                                     const Project& project) {
  WallTime now = os::system_clock().wall();
  bool human = invocation.output == OutputForm::kHuman;
  auto offline = Offline::open(os::system_disk(), layout);
  if (offline) {
    if (human) talk(offline->explain(now));
    return offline->plan(project, now);
  }
  if (offline.error().code() != ErrorCode::kNotFound) return offline.error();
  if (human) talk(fmt::format("nothing was ever applied at {}: planned against nothing\n", layout.root));
  return plan_from_nothing(project, now);
}

// A script that asks for --detailed-exitcode knows three answers; every failure is 1 then.
int plan_failed(const Invocation& invocation, int code) { return invocation.detailed_exit_code ? kFailed : code; }

int show_plan(const Invocation& invocation, const api::PlanAnswer& answer) {
  print(invocation.output == OutputForm::kHuman ? answer.text : codec::to_json(answer.plan).dump() + "\n");
  return invocation.detailed_exit_code && !answer.empty ? kChanges : kDone;
}

void print_welcome(const Session& session, const api::Status& status) {
  print(fmt::format("\n{} is up, generation {}\n\n", status.organisation, status.generation));
  for (const std::string& url : status.urls) print(fmt::format("  {}\n", url));
  print(
      fmt::format("\nTry in another terminal:\n  freehold status{0}\n  freehold logs -f{0}\n  change the file, "
                  "then: freehold plan{0} && freehold up{0}\n\n",
                  options_of(session)));
}

// From the daemons to the outcome. kCancelled if a signal came; `accepted` says whether there is a change that goes on.
Result<int> apply(Session& session, Project& project, bool& accepted) {
  const Invocation& invocation = session.invocation();
  bool human = invocation.output == OutputForm::kHuman;
  FH_TRY(ensure_daemons(session));
  project.submission.message = invocation.message;
  FH_ASSIGN(codec::Json planned, session.post("/v1/plan", codec::to_json(project.submission)));
  FH_ASSIGN(api::PlanAnswer plan, codec::from_json<api::PlanAnswer>(planned));
  if (human && !plan.empty) print(plan.text);
  FH_TRY(upload_contents(session, project));
  project.submission.base = plan.base;
  FH_ASSIGN(codec::Json applied, session.post("/v1/apply", codec::to_json(project.submission)));
  FH_ASSIGN(api::ChangeAnswer change, codec::from_json<api::ChangeAnswer>(applied));
  accepted = true;
  if (!invocation.foreground) return follow_rollout(session, change, "freehold rollback");
  return watch_rollout(session, change);
}

// Until a signal comes, or somebody else has stopped the platform.
void stay_attached(Session& session) {
  if (session.invocation().output == OutputForm::kHuman) print("ctrl-C stops everything\n");
  while (session.attend() && !has_stopped(session)) {
    // Ends when control does: to be stopped, or to be started again by the agent.
    (void)session.follow("/v1/events?follow=1&last=0", [](const codec::Json&) { return true; }).ok();
    if (session.attend()) std::this_thread::sleep_for(kLook);
  }
}

int stop_what_is_attached(Session& session) {
  bool human = session.invocation().output == OutputForm::kHuman;
  if (!session.asked_to_end()) {
    if (human) print("it was stopped from elsewhere\n");
    return kDone;
  }
  session.forget_signal();
  if (human) print("\nstopping; ctrl-C once more does not wait for it\n");
  auto code = stop_platform(session);
  // A signal that came before there was anything to stop.
  if (!code && code.error().code() == ErrorCode::kUnavailable && is_gone(session)) return kDone;
  return end_of_stopping(session, code);
}

}  // namespace

int run_validate(const Invocation& invocation) {
  LoadedProject loaded = load_project(os::system_disk(), config_path(invocation), Depth::kTextOnly);
  if (!loaded.project) return fail(invocation, loaded);
  show_findings(invocation, loaded);
  const model::Organisation& organisation = loaded.project->organisation;
  if (invocation.output == OutputForm::kHuman) {
    print(fmt::format("{} is valid: {} service{}, {} route{}\n", config_path(invocation), organisation.services.size(),
                      organisation.services.size() == 1 ? "" : "s", organisation.routes.size(),
                      organisation.routes.size() == 1 ? "" : "s"));
  } else {
    print(codec::to_json(organisation).dump() + "\n");
  }
  return kDone;
}

int run_plan(const Invocation& invocation) {
  LoadedProject loaded = load_project(os::system_disk(), config_path(invocation), Depth::kWithContents);
  if (!loaded.project) return plan_failed(invocation, fail(invocation, loaded));
  show_findings(invocation, loaded);
  auto layout = layout_of(invocation);
  if (!layout) return plan_failed(invocation, fail(invocation, layout.error()));
  Session session(invocation, *layout);
  auto answer = session.answers(Session::Need::kAlive)
                    ? decode<api::PlanAnswer>(session.post("/v1/plan", codec::to_json(loaded.project->submission)))
                    : plan_offline(invocation, *layout, *loaded.project);
  return answer ? show_plan(invocation, *answer) : plan_failed(invocation, fail(invocation, answer.error()));
}

int run_up(const Invocation& invocation) {
  LoadedProject loaded = load_project(os::system_disk(), config_path(invocation), Depth::kWithContents);
  if (!loaded.project) return fail(invocation, loaded);
  show_findings(invocation, loaded);
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  session.heed_signals();
  // Attached, the end is a `down`, whether or not there is a terminal left to tell of it.
  if (invocation.foreground) outlive_output();
  bool accepted = false;
  auto code = apply(session, *loaded.project, accepted);
  if (invocation.foreground && session.asked_to_end()) return stop_what_is_attached(session);
  if (auto signal = session.asked_to_end()) {
    (void)fail(invocation, Error(ErrorCode::kCancelled, "interrupted before anything was changed"));
    end_by(*signal);
  }
  if (!code) return fail(invocation, code.error());
  auto json = session.get("/v1/status");
  auto status = json ? codec::from_json<api::Status>(*json) : Result<api::Status>(json.error());
  if (status && invocation.output == OutputForm::kHuman && *code == kDone) print_welcome(session, *status);
  if (!invocation.foreground) return *code;
  if (*code != kDone && invocation.output == OutputForm::kHuman) talk("the apply failed; what ran before still does\n");
  stay_attached(session);
  int end = stop_what_is_attached(session);
  return *code != kDone ? *code : end;
}

}  // namespace freehold::cli
