// validate, plan, up: the verbs that read the file.
#include <fmt/core.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <set>

#include "cli/daemons.h"
#include "cli/local_plan.h"
#include "cli/project.h"
#include "cli/state_directory.h"
#include "cli/verbs.h"
#include "os/clock.h"

namespace freehold::cli {
namespace {

constexpr Duration kDownTime = std::chrono::seconds(90);

// Says everything that is wrong with the file; true if there is a project.
bool report(const Invocation& invocation, const LoadedProject& loaded) {
  if (invocation.output != OutputForm::kHuman) {
    if (loaded.project) return true;
    codec::Json json;
    json.set("diagnostics", loaded.diagnostics.to_json());
    codec::Json problems = codec::Json::array();
    for (const Error& problem : loaded.problems) problems.push(problem.message());
    json.set("problems", std::move(problems));
    print(json.dump() + "\n");
    return false;
  }
  bool color = invocation.color && isatty(STDERR_FILENO) == 1;
  if (!loaded.diagnostics.empty())
    talk(loaded.diagnostics.format(color ? model::Colour::kAlways : model::Colour::kNever));
  for (const Error& problem : loaded.problems) talk(fmt::format("freehold: {}\n", problem.message()));
  return loaded.project.has_value();
}

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
    if (++done % 100 == 0) talk(fmt::format("{} of {} files taken\n", done, missing.items().size()));
  }
  return {};
}

int show_plan(const Invocation& invocation, const api::PlanAnswer& answer) {
  print(invocation.output == OutputForm::kHuman ? answer.text : answer.plan.dump() + "\n");
  return invocation.detailed_exit_code && !answer.empty ? kChanges : kDone;
}

void print_welcome(const Session& session, const api::Status& status) {
  print(fmt::format("\n{} is up, generation {}\n\n", status.organisation, status.generation));
  for (const std::string& url : status.urls) print(fmt::format("  {}\n", url));
  std::string state = session.invocation().state.empty() ? "" : fmt::format(" --state {}", session.layout().root);
  std::string file = config_path(session.invocation());
  std::string config = file == "freehold.yaml" ? "" : fmt::format(" -c {}", file);
  print(
      fmt::format("\nTry in another terminal:\n  freehold status{0}{1}\n  freehold logs -f{0}{1}\n  change the file, "
                  "then: freehold plan{0}{1} && freehold up{0}{1}\n\n",
                  config, state));
}

// Blocks SIGINT and SIGTERM from here on and gives a descriptor that tells of them.
int block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

int stay_attached(Session& session, int signals) {
  print("ctrl-C stops everything\n");
  signalfd_siginfo info{};
  while (read(signals, &info, sizeof info) < 0 && errno == EINTR) {
  }
  print("\nstopping\n");
  auto answer = session.post("/v1/down", codec::Json::object());
  if (!answer) return fail(session.invocation(), answer.error());
  auto change = codec::from_json<api::ChangeAnswer>(*answer);
  int code = change ? follow_rollout(session, *change) : kFailed;
  auto gone = wait_until_gone(session, kDownTime);
  if (!gone) return fail(session.invocation(), gone.error());
  return code;
}

}  // namespace

int run_validate(const Invocation& invocation) {
  LoadedProject loaded = load_project(os::system_disk(), config_path(invocation), Depth::kTextOnly);
  if (!report(invocation, loaded)) return kBadFile;
  const model::Organisation& organisation = loaded.project->organisation;
  if (invocation.output == OutputForm::kHuman) {
    print(fmt::format("{} is valid: {} services, {} routes\n", config_path(invocation), organisation.services.size(),
                      organisation.routes.size()));
  } else {
    print(codec::to_json(organisation).dump() + "\n");
  }
  return kDone;
}

int run_plan(const Invocation& invocation) {
  LoadedProject loaded = load_project(os::system_disk(), config_path(invocation), Depth::kWithContents);
  if (!report(invocation, loaded)) return kBadFile;
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  if (!session.answers(Session::Need::kAlive)) {
    if (invocation.output == OutputForm::kHuman)
      talk(fmt::format("nothing runs at {}: planned against nothing\n", layout->root));
    auto answer = plan_locally(*loaded.project, os::system_clock().wall());
    return answer ? show_plan(invocation, *answer) : fail(invocation, answer.error());
  }
  auto json = session.post("/v1/plan", codec::to_json(loaded.project->submission));
  auto answer = json ? codec::from_json<api::PlanAnswer>(*json) : Result<api::PlanAnswer>(json.error());
  return answer ? show_plan(invocation, *answer) : fail(invocation, answer.error());
}

int run_up(const Invocation& invocation) {
  LoadedProject loaded = load_project(os::system_disk(), config_path(invocation), Depth::kWithContents);
  if (!report(invocation, loaded)) return kBadFile;
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  // Before the daemons start, so that they do not inherit it and an early ctrl-C is not lost.
  Session session(invocation, *layout);
  bool human = invocation.output == OutputForm::kHuman;
  auto started = ensure_daemons(session);
  if (!started) return fail(invocation, started.error());
  int signals = invocation.foreground ? block_signals() : -1;
  Project& project = *loaded.project;
  project.submission.message = invocation.message;

  auto planned = session.post("/v1/plan", codec::to_json(project.submission));
  auto plan = planned ? codec::from_json<api::PlanAnswer>(*planned) : Result<api::PlanAnswer>(planned.error());
  if (!plan) return fail(invocation, plan.error());
  if (human && !plan->empty) print(plan->text);
  auto uploaded = upload_contents(session, project);
  if (!uploaded) return fail(invocation, uploaded.error());
  project.submission.base = plan->base;
  auto applied = session.post("/v1/apply", codec::to_json(project.submission));
  auto change = applied ? codec::from_json<api::ChangeAnswer>(*applied) : Result<api::ChangeAnswer>(applied.error());
  if (!change) return fail(invocation, change.error());
  int code = follow_rollout(session, *change);
  if (code != kDone && !invocation.foreground) return code;
  auto json = session.get("/v1/status");
  auto status = json ? codec::from_json<api::Status>(*json) : Result<api::Status>(json.error());
  if (status && human && code == kDone) print_welcome(session, *status);
  if (!invocation.foreground) return code;
  if (code != kDone) talk("the apply failed; what ran before still does\n");
  int end = stay_attached(session, signals);
  return code != kDone ? code : end;
}

}  // namespace freehold::cli
