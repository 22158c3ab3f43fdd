#include "leaving/units.h"

#include <fmt/core.h>

#include <cstring>
#include <set>

#include "base/text.h"
#include "leaving/quoting.h"
#include "leaving/surroundings.h"
#include "model/schedule.h"

namespace freehold::leaving {
namespace {

constexpr const char* kUnits = "/etc/systemd/system/";

std::string seconds(Duration duration) { return fmt::format("{:g}", std::chrono::duration<double>(duration).count()); }

class ServiceUnits {
 public:
  ServiceUnits(const Given& given, const Ground& ground, const control::ComposedService& service, Departure& out)
      : ground_(ground),
        timezone_(given.composed.timezone),
        job_(service.source.job),
        spec_(service.spec),
        runtime_(spec_.runtime),
        place_(ground.places.at(runtime_.service)),
        around_(ground, runtime_, given.secrets),
        out_(out) {}

  void write() {
    job_ ? write_job(*job_) : write_service();
    if (!runtime_.prepare.empty()) write_prepare();
    if (given_socket()) write_socket();
    if (spec_.supervision.health.kind != model::HealthKind::kNone) {
      lose("services.NAME.health",
           "a start waits until the first good answer, and nobody asks later; nginx leaves out an instance whose port "
           "refuses");
    }
    for (const std::string& name : around_.lost())
      lose("services.NAME.env", fmt::format("{} is left out: systemd takes no such value; set it by hand", name));
  }

 private:
  bool given_socket() const { return runtime_.listen == model::Listening::kSockets; }
  std::string file_of(std::string_view ending) const {
    return in_root(fmt::format("{}{}{}.{}", kUnits, place_.unit, place_.many ? "@" : "", ending));
  }
  std::string prepare_unit() const { return place_.unit + ".prepare.service"; }

  void lose(const std::string& key, const std::string& text) {
    for (Loss& loss : out_.losses) {
      if (loss.key != key || loss.text != text) continue;
      loss.subjects.push_back(runtime_.service);
      return;
    }
    out_.losses.push_back({key, {runtime_.service}, text});
  }

  // A unit is active when its service is well, so that After= means what `needs` does.
  std::string wait_until_well() const {
    const model::Health& health = spec_.supervision.health;
    std::vector<std::string> words = {"/bin/sh", "-c", "until \"$@\" >/dev/null 2>&1; do sleep 0.2; done", "wait"};
    words.insert(words.end(), {"/usr/bin/timeout", seconds(health.timeout)});
    std::string ask;
    if (health.kind == model::HealthKind::kHttp) {
      ask = fmt::format("curl -fsS {}",
                        quoted(fmt::format("http://127.0.0.1:{}{}", place_.port, command_text(health.path))));
    } else if (health.kind == model::HealthKind::kTcp) {
      ask = fmt::format("/bin/bash -c {} {}", quoted(command_text(": <>/dev/tcp/127.0.0.1/$0")), place_.port);
    } else {
      ask = around_.command(health.command);
    }
    std::string out;
    for (const std::string& word : words) out += quoted(command_text(word)) + " ";
    return out + ask;
  }

  std::string head(const std::string& what, const std::string& required) const {
    std::vector<std::string> needs;
    for (const std::string& need : spec_.supervision.needs) {
      for (std::string& unit : ground_.places.at(need).units("service")) needs.push_back(std::move(unit));
    }
    std::string out = fmt::format("[Unit]\nDescription={} of {}\nPartOf={}.target\n", what, ground_.name, ground_.name);
    std::string after = "network.target";
    if (!needs.empty()) {
      out += fmt::format("Wants={}\n", join(needs, " "));
      after += " " + join(needs, " ");
    }
    if (!required.empty()) {
      out += fmt::format("Requires={}\n", required);
      after += " " + required;
    }
    return out + fmt::format("After={}\n", after);
  }

  void write_service() {
    const model::Supervision& supervision = spec_.supervision;
    std::vector<std::string> required;
    if (!runtime_.prepare.empty()) required.push_back(prepare_unit());
    if (given_socket()) required.push_back(fmt::format("{}{}.socket", place_.unit, place_.many ? "@%i" : ""));
    std::string out = head(runtime_.service, join(required, " "));
    if (supervision.restart.crash_loop.count > 0) {
      out += fmt::format("StartLimitIntervalSec={}\nStartLimitBurst={}\n", seconds(supervision.restart.crash_loop.per),
                         supervision.restart.crash_loop.count);
    }
    out += fmt::format("\n[Service]\nType=exec\nExecStart={}\n", around_.command(runtime_.run));
    const model::Health& health = supervision.health;
    if (health.kind != model::HealthKind::kNone) {
      out += fmt::format("ExecStartPost={}\nTimeoutStartSec={}\n", wait_until_well(),
                         seconds(health.start + health.every * health.unhealthy_after));
    }
    out += fmt::format("Restart=always\nRestartSec={}\n", seconds(supervision.restart.backoff)) + end_of_runs();
    out_.files.push_back({file_of("service"), out + around_.lines(Surroundings::Of::kService)});
  }

  std::string end_of_runs() const {
    const model::Stop& stop = spec_.supervision.stop;
    return fmt::format("KillMode=mixed\nKillSignal=SIG{}\nTimeoutStopSec={}\n", sigabbrev_np(stop.signal),
                       seconds(stop.grace));
  }

  void write_job(const model::Job& job) {
    std::string out = head(runtime_.service, "");
    out += fmt::format("\n[Service]\nType=oneshot\nExecStart={}\n", around_.command(runtime_.run));
    out += end_of_runs();
    out_.files.push_back({file_of("service"), out + around_.lines(Surroundings::Of::kService)});
    std::string timer = fmt::format("[Unit]\nDescription=Schedule of {0} of {1}\nPartOf={1}.target\n\n[Timer]\n",
                                    runtime_.service, ground_.name);
    if (auto schedule = model::Schedule::parse(job.schedule)) {
      for (const std::string& calendar : schedule->calendars())
        timer += fmt::format("OnCalendar={} {}\n", calendar, timezone_);
    }
    if (job.missed == model::Missed::kRun) timer += "Persistent=true\n";
    out_.files.push_back({file_of("timer"), timer + "AccuracySec=1s\n"});
    lose("services.NAME.schedule",
         "where clocks change, systemd has its own idea of times that they skip or show twice; nobody tells of runs "
         "that "
         "were missed or passed over, or keeps how each went");
    if (job.retries > 0) {
      lose("services.NAME.retries",
           "a run that failed waits for its next time: systemd counts starts within a span, and not attempts of a run");
    }
  }

  void write_prepare() {
    std::string out = head(runtime_.service + " prepared", "");
    out += fmt::format("\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={}\nTimeoutStartSec={}\n",
                       around_.command(runtime_.prepare), seconds(spec_.deploy.deadline));
    out += around_.lines(Surroundings::Of::kPrepare);
    out_.files.push_back({in_root(kUnits + prepare_unit()), std::move(out)});
    lose("services.NAME.prepare",
         "runs once after each boot instead of once per deploy; for a change, restart its .prepare.service");
  }

  void write_socket() {
    out_.files.push_back(
        {file_of("socket"), fmt::format("[Unit]\nDescription=Socket of {0} of {1}\nPartOf={1}.target\n\n[Socket]\n"
                                        "ListenStream=127.0.0.1:{2}\nFileDescriptorName={0}\n",
                                        runtime_.service, ground_.name, place_.port)});
  }

  const Ground& ground_;
  const std::string& timezone_;
  const std::optional<model::Job>& job_;
  const control::ServiceSpec& spec_;
  const model::Runtime& runtime_;
  const Place& place_;
  Surroundings around_;
  Departure& out_;
};

// One command starts, stops and enables all of it.
void write_target(const Given& given, const Ground& ground, Departure& out) {
  std::string text = fmt::format("[Unit]\nDescription=All of {}\n", ground.name);
  for (const auto& [name, place] : ground.places) {
    bool socket = given.composed.services.at(name)->spec.runtime.listen == model::Listening::kSockets;
    for (std::string_view ending : {"socket", "service", "timer"}) {
      if (ending == "socket" ? !socket : place.timed != (ending == "timer")) continue;
      for (const std::string& unit : place.units(ending)) text += fmt::format("Wants={}\n", unit);
    }
  }
  text += "\n[Install]\nWantedBy=multi-user.target\n";
  out.files.push_back({in_root(fmt::format("{}{}.target", kUnits, ground.name)), std::move(text)});
}

// Users, and who may read what: the programs of a service are for it alone.
void write_users(const Given& given, const Ground& ground, Departure& out) {
  std::string users, files;
  for (const auto& [name, place] : ground.places) {
    if (!place.own_user) continue;
    users += fmt::format("u {} - \"{} of {}\" /nonexistent\n", place.user, name, ground.name);
    const model::Runtime& runtime = given.composed.services.at(name)->spec.runtime;
    if (!runtime.release.empty()) files += fmt::format("Z {} ~0750 root {}\n", place.folder, place.user);
    for (const model::Volume& volume : runtime.volumes) {
      if (!volume.path.empty())
        files += fmt::format("d {} 0700 {} {}\n", quoted(unit_text(volume.path)), place.user, place.user);
    }
  }
  if (!users.empty()) out.files.push_back({in_root(fmt::format("/etc/sysusers.d/{}.conf", ground.name)), users});
  if (!files.empty()) out.files.push_back({in_root(fmt::format("/etc/tmpfiles.d/{}.conf", ground.name)), files});
}

// Without the values an example lies beside the place where a file belongs: with made-up ones a service would start.
void write_secrets(const Given& given, const Ground& ground, Departure& out) {
  std::set<std::string> as_files;
  for (const auto& [name, service] : given.composed.services) {
    Surroundings around(ground, service->spec.runtime, given.secrets);
    for (const model::SecretUse& use : service->spec.runtime.secrets) {
      if (use.form == model::SecretForm::kFile) as_files.insert(use.name);
    }
    const std::string path = in_root(around.environment_file());
    if (around.secret_environment().empty()) continue;
    if (given.secrets) {
      out.files.push_back({path, around.secret_environment(), 0600});
    } else {
      out.files.push_back({path + ".example", around.secret_environment()});
    }
  }
  if (!given.secrets) return;
  for (const std::string& name : as_files) {
    auto value = given.secrets->find(name);
    if (value != given.secrets->end())
      out.files.push_back({in_root(fmt::format("{}/secrets/{}", ground.base, name)), value->second, 0600});
  }
}

}  // namespace

void write_units(const Given& given, const Ground& ground, Departure& out) {
  for (const auto& [name, service] : given.composed.services) ServiceUnits(given, ground, *service, out).write();
  write_target(given, ground, out);
  write_users(given, ground, out);
  write_secrets(given, ground, out);
}

}  // namespace freehold::leaving
