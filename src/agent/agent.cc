#include "agent/agent.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdlib>

#include "agent/control_client.h"
#include "agent/daemons.h"
#include "agent/exec_server.h"
#include "agent/gateway_server.h"
#include "agent/jobs.h"
#include "agent/log_keeping.h"
#include "agent/prober.h"
#include "agent/process_workloads.h"
#include "agent/state_folders.h"
#include "agent/supervisor.h"
#include "agent/watcher_guard.h"
#include "auth/peer.h"
#include "base/log.h"
#include "codec/hash.h"
#include "net/listen.h"
#include "os/memory_folder.h"
#include "runtime/watchdog.h"

namespace freehold::agent {
namespace {

constexpr Duration kGatewayGrace = std::chrono::seconds(2);
constexpr Duration kHousekeeping = std::chrono::minutes(1);
constexpr Duration kReleaseRest = std::chrono::seconds(30);
constexpr size_t kNameDigits = 10;

class Agent {
 public:
  Agent(AgentOptions options, Ground ground, std::unique_ptr<runtime::Loop> loop, std::unique_ptr<Launcher> launcher,
        auth::Sealer sealer, Journal journal)
      : options_(std::move(options)),
        ground_(std::move(ground)),
        loop_(std::move(loop)),
        launcher_(std::move(launcher)),
        sealer_(std::move(sealer)),
        journal_(std::move(journal)),
        contents_(os::system_disk(), ground_.layout.contents()),
        releases_(os::system_disk(), contents_, ground_.layout.releases(), ground_.layout.files()),
        workloads_({os::system_disk(), *launcher_, releases_, sealer_, ground_.users ? &*ground_.users : nullptr},
                   {ground_.layout,
                    ground_.policy,
                    ground_.memory_folder,
                    {Daemons::group_of("control"), Daemons::group_of("gateway"), Launcher::kKeepers},
                    ground_.log_group}),
        prober_(
            *loop_,
            [this](const std::string& id, const std::vector<std::string>& words) { return run_beside(id, words); },
            [this](Command command) { launcher_->kill_command(std::move(command)); }),
        ports_(
            ground_.policy.ports, [](uint16_t port) { return net::is_free_everywhere(port); },
            std::hash<std::string>()(options_.state)),
        daemons_(*loop_, *launcher_, journal_, ground_.layout.daemons(), ground_.layout.platform_logs(),
                 [this] { tell_control(); }),
        guard_(*loop_, options_, [this] { tell_control(); }),
        log_keeping_(os::system_disk(), os::system_clock(), ground_.layout),
        housekeeping_(*loop_, runtime::complete<&Agent::keep_house>(this)),
        release_timer_(*loop_, runtime::complete<&Agent::collect_releases>(this)) {}

  // `manager` is told when no connection can be lost any more by what an upgrade does next. It outlives us.
  Result<void> start(const os::ServiceManager& manager);
  AgentEnd run() {
    loop_->run();
    return end_;
  }

 private:
  Result<Command> run_beside(const std::string& id, const std::vector<std::string>& command);
  Result<ExecServer::Handlers::Started> run_for_cli(const link::Exec& exec, int input, int output, int error);
  void start_daemons();
  void apply(model::NodeDesired desired);
  void finish();
  void finish_for_control();
  void finish_without_control(const link::Finish& request);
  void stop_all_and_finish();
  bool nothing_runs() const { return supervisor_->empty() && jobs_->empty(); }
  void tell_control() {
    if (control_) control_->tell();
    if (stopping_all_ && nothing_runs()) finish();
  }
  model::NodeObserved observed() const;
  void on_signal(int);
  void keep_house(int);
  void collect_releases(int);
  void sweep_logs();
  StartRequest request_of(const Supervisor::Target& target) const {
    const model::NodeDesired& desired = supervisor_->desired();
    return {*target.instance,          *target.runtime,           desired.sealed_secrets,
            desired.routing.addresses, desired.routing.keep.logs, target.port};
  }

  AgentOptions options_;
  Ground ground_;
  std::unique_ptr<runtime::Loop> loop_;
  std::unique_ptr<Launcher> launcher_;
  auth::Sealer sealer_;
  Journal journal_;
  contents::Contents contents_;
  Releases releases_;
  ProcessWorkloads workloads_;
  HealthProber prober_;
  PortPool ports_;
  Daemons daemons_;
  WatcherGuard guard_;
  LogKeeping log_keeping_;
  runtime::Timer housekeeping_;
  runtime::Timer release_timer_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<Jobs> jobs_;
  std::unique_ptr<GatewayServer> gateway_;
  std::unique_ptr<ControlClient> control_;
  std::unique_ptr<ExecServer> exec_;
  os::Fd signals_;
  std::unique_ptr<runtime::Watcher> signal_watcher_;
  WallTime since_ = os::system_clock().wall();
  std::string trouble_;  // why the last desired state could not be taken
  AgentEnd end_ = AgentEnd::kAsked;
  bool stopping_all_ = false;
};

Result<void> Agent::start(const os::ServiceManager& manager) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  signal_watcher_ =
      std::make_unique<runtime::Watcher>(*loop_, signals_.get(), runtime::complete<&Agent::on_signal>(this));

  if (!options_.is_unit()) start_daemons();
  supervisor_ =
      std::make_unique<Supervisor>(*loop_, os::system_disk(), workloads_, prober_, ports_, journal_,
                                   Supervisor::Options{ground_.layout.agent(), ground_.layout.files(), ground_.boot_id},
                                   Supervisor::Hooks{[this] {
                                                       tell_control();
                                                       jobs_->services_changed();
                                                     },
                                                     [this] {
                                                       if (gateway_) gateway_->update();
                                                     },
                                                     [this](Survivor& survivor) { return jobs_->claim(survivor); }});
  jobs_ = std::make_unique<Jobs>(
      *loop_, os::system_disk(), workloads_, journal_,
      Jobs::Options{ground_.layout.jobs(), ground_.layout.logs(), ground_.boot_id},
      Jobs::Hooks{[this] { tell_control(); }, [this](const std::string& name) { return supervisor_->is_healthy(name); },
                  [this](const model::JobResult& result) {
                    if (exec_) exec_->run_ended(result);
                  }});
  FH_TRY(jobs_->open());
  GatewayServer::Options gateway_options{
      ground_.layout.gateway_socket(), ground_.gateway_user ? ground_.gateway_user->user : geteuid(),
      options_.is_unit() || daemons_.adopted("gateway") ? kGatewayGrace : Duration::zero()};
  FH_ASSIGN(gateway_, GatewayServer::open(
                          *loop_, std::move(gateway_options),
                          {[this](const model::GatewayStatus& status) { supervisor_->gateway_acknowledged(status); },
                           [this] { supervisor_->gateway_lost(); },
                           [this]() -> const model::GatewaySnapshot& { return supervisor_->snapshot(); },
                           [this] { tell_control(); }, [&manager] { manager.say("READY=1"); }}));
  FH_TRY(supervisor_->resume());
  jobs_->apply(supervisor_->desired());
  control_ = std::make_unique<ControlClient>(
      *loop_, journal_, ground_.layout.control_socket(), ground_.boot_id,
      ControlClient::Handlers{[this](model::NodeDesired desired) { apply(std::move(desired)); },
                              [this] { finish_for_control(); }, [this] { return observed(); }});
  FH_ASSIGN(exec_, ExecServer::open(
                       *loop_, ground_.layout.agent_socket(),
                       {[this](const net::PeerCredentials& peer) { return admit(ground_, peer); },
                        [this](const link::Exec& exec, int input, int output, int error) {
                          return run_for_cli(exec, input, output, error);
                        },
                        [this](Command command) { launcher_->kill_command(std::move(command)); },
                        [this](const std::string& instance, const std::string& who, const std::string& what) {
                          journal_.add("instance.exec", instance, fmt::format("{} ran {}", who, what));
                          tell_control();
                        },
                        [this](const link::Finish& request) { finish_without_control(request); },
                        [this](const std::string& job, const std::string& who) { return jobs_->run(job, who); }}));
  housekeeping_.start(kHousekeeping);
  journal_.add("agent.started", "agent", fmt::format("pid {}", getpid()));
  return {};
}

void Agent::start_daemons() {
  std::map<std::string, std::string> environment = {
      {"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"HOME", ground_.layout.root}};
  for (const char* name : {"FREEHOLD_BOOT_ID", "FREEHOLD_IO", "FREEHOLD_API_LISTEN", "ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  std::vector<std::string> control = {options_.daemon_program, "daemon", "control", options_.state};
  if (ground_.users) {
    os::UidBlock block = ground_.users->block();
    control.push_back(fmt::format("{}-{}", block.first, block.last));
  }
  daemons_.keep(
      {"gateway", {options_.daemon_program, "daemon", "gateway", options_.state}, environment, ground_.gateway_user});
  daemons_.keep({"control", std::move(control), environment, ground_.control_user});
}

void Agent::apply(model::NodeDesired desired) {
  trouble_.clear();
  // The gateway must find the files before it hears of their route.
  for (const model::Route& route : desired.routing.routes) {
    for (const model::PathRule& rule : route.paths) {
      if (rule.kind != model::TargetKind::kFiles) continue;
      auto built = releases_.static_folder(rule.files);
      if (!built) trouble_ = built.error().message();
    }
  }
  auto applied = supervisor_->apply(std::move(desired));
  if (!applied) trouble_ = applied.error().message();
  jobs_->apply(supervisor_->desired());
  if (!trouble_.empty()) log_error("agent", "{}", trouble_);
  release_timer_.start(kReleaseRest);
  sweep_logs();
}

void Agent::finish() {
  stopping_all_ = false;
  journal_.add("agent.finished", "agent", "everything is stopped");
  log_info("agent", "everything is stopped on request");
  control_.reset();
  daemons_.stop({"gateway", "control"}, [this] {
    end_ = AgentEnd::kFinished;
    (void)launcher_->remove_tree().ok();
    guard_.dismiss();
    loop_->stop();
  });
}

// As a unit we stay, with nothing to run, and take the next apply: systemd ends us when its administrator says so.
void Agent::finish_for_control() {
  if (!options_.is_unit()) return jobs_->empty() ? finish() : stop_all_and_finish();
  jobs_->stop_all();
  journal_.add("agent.finished", "agent", "everything is stopped");
  log_info("agent", "everything is stopped on request; waiting for the next apply");
}

void Agent::finish_without_control(const link::Finish& request) {
  control_.reset();  // it may come to life meanwhile, and want other things
  if (request.leave_instances || nothing_runs()) return finish();
  stop_all_and_finish();
}

void Agent::stop_all_and_finish() {
  stopping_all_ = true;
  jobs_->stop_all();
  supervisor_->stop_all();
}

model::NodeObserved Agent::observed() const {
  model::NodeObserved out;
  out.revision = supervisor_->desired().revision;
  out.boot_id = ground_.boot_id;
  out.instances = supervisor_->observed();
  out.jobs = jobs_->observed();
  out.daemons = daemons_.status();
  out.daemons.push_back({"agent", getpid(), 0, since_});
  if (options_.is_unit()) {
    for (auto& peer : {gateway_->peer(), control_ ? control_->peer() : std::nullopt}) {
      if (peer) out.daemons.push_back(*peer);
    }
  }
  if (auto watcher = guard_.watcher()) out.daemons.push_back({"watcher", *watcher, 0, {}});
  out.problems = workloads_.problems();
  for (std::string& problem : gateway_->problems()) out.problems.push_back(std::move(problem));
  out.unreachable = gateway_->unreachable();
  if (!trouble_.empty()) out.problems.push_back(trouble_);
  return out;
}

Result<Command> Agent::run_beside(const std::string& id, const std::vector<std::string>& command) {
  FH_ASSIGN(Supervisor::Target target, supervisor_->find(id));
  os::Fd nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));
  return workloads_.start_check(request_of(target), command, nowhere.get());
}

Result<ExecServer::Handlers::Started> Agent::run_for_cli(const link::Exec& exec, int input, int output, int error) {
  if (auto job = jobs_->find(exec.target)) {
    const model::NodeDesired& desired = supervisor_->desired();
    FH_ASSIGN(Command command,
              workloads_.start_command({job->instance, *job->runtime, desired.sealed_secrets, desired.routing.addresses,
                                        desired.routing.keep.logs, /*port=*/0},
                                       exec.words, exec.terminal, input, output, error));
    return ExecServer::Handlers::Started{job->instance.id, std::move(command)};
  }
  FH_ASSIGN(Supervisor::Target target, supervisor_->find(exec.target));
  FH_ASSIGN(Command command,
            workloads_.start_command(request_of(target), exec.words, exec.terminal, input, output, error));
  return ExecServer::Handlers::Started{target.id, std::move(command)};
}

void Agent::on_signal(int) {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) == sizeof info) loop_->stop();
}

void Agent::keep_house(int) {
  bound_own_log(options_.log);
  sweep_logs();
  housekeeping_.start(kHousekeeping);
}

void Agent::collect_releases(int) {
  std::set<std::string> releases = supervisor_->releases_in_use();
  jobs_->add_releases(releases);
  releases_.collect(releases);
}

void Agent::sweep_logs() {
  std::set<std::string> instances;
  for (const model::ObservedInstance& instance : supervisor_->observed()) instances.insert(instance.id);
  for (const model::ObservedJob& job : jobs_->observed()) {
    if (job.run) instances.insert(job.run->id);
  }
  auto swept = log_keeping_.sweep(supervisor_->desired().routing.keep.logs, instances);
  if (!swept) log_warning("agent", "old logs were not removed: {}", swept.error().message());
}

}  // namespace

Result<AgentEnd> run_agent(const AgentOptions& options, const os::ServiceManager& manager) {
  os::Disk& disk = os::system_disk();
  DaemonUsers users = options.is_unit() ? DaemonUsers::kInstalled : DaemonUsers::kOwn;
  FH_ASSIGN(Ground ground, prepare_ground(disk, options.state, users));
  FH_ASSIGN(std::unique_ptr<runtime::Loop> loop, runtime::Loop::create(runtime::Backend::kEpoll));
  FH_ASSIGN(std::string keeper, Launcher::find_keeper());
  // One tree of control groups per state directory, also when two lie in folders of the same name.
  std::string tree = "freehold-" + codec::sha256_hex(options.state).substr(0, kNameDigits);
  FH_ASSIGN(std::unique_ptr<Launcher> launcher,
            Launcher::create({.keeper = keeper, .tree = tree, .ground = {.delegated = options.delegated}}));
  FH_ASSIGN(auth::Sealer sealer, auth::Sealer::load_or_create(disk, os::system_random(), ground.layout.seal_key()));
  FH_TRY(hand_over_keys(disk, ground));
  FH_ASSIGN(Journal journal, Journal::open(disk, os::system_clock(), ground.layout.journal()));
  AgentOptions reachable = options;
  if (ground.control_user && !options.is_unit()) {
    // Control and the gateway are other users, who may not pass through the folders above our program, such as /root.
    auto laid = os::link_or_copy(disk, options.program, ground.layout.program(), 0755);
    // On a full disk the one that is there has to do: without an agent nothing would ever make room.
    if (!laid && !disk.exists(ground.layout.program())) return laid.error();
    if (!laid) log_warning("agent", "the daemons' program is not renewed: {}", laid.error().message());
    reachable.daemon_program = ground.layout.program();
  }
  runtime::Loop& turning = *loop;
  Agent agent(reachable, std::move(ground), std::move(loop), std::move(launcher), std::move(sealer),
              std::move(journal));
  FH_TRY(agent.start(manager));
  runtime::Watchdog watchdog(turning, manager);
  return agent.run();
}

}  // namespace freehold::agent
