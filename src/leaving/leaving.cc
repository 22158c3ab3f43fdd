#include "leaving/leaving.h"

#include <fmt/core.h>

#include "base/text.h"
#include "leaving/ground.h"
#include "leaving/guide.h"
#include "leaving/proxy.h"
#include "leaving/units.h"

namespace freehold::leaving {
namespace {

// Of what exists only while there is somebody who deploys, watches and repairs.
void note_what_stays_behind(const Given& given, Departure& out) {
  const model::Organisation& organisation = given.generation.organisation;
  if (organisation.timezone != "UTC")
    out.losses.push_back(
        {"timezone", {}, "the timers of jobs go by it, and nothing else; the machine's own clock is not changed"});
  if (organisation.gateway.cores != 1)
    out.losses.push_back({"gateway.cores", {}, "worker_processes of /etc/nginx/nginx.conf says how many cores serve"});
  Loss deploys{"services.NAME.deploy", {}, {}}, restarts{"services.NAME.restart", {}, {}};
  Loss writers{"services.NAME.volumes.NAME.writers", {}, {}};
  deploys.text = "nobody replaces instances one by one, drains them, or goes back; changing a program is yours now";
  restarts.text =
      "systemd 252 waits as long before each restart, and starts a service that is in a crash loop no more: systemctl "
      "reset-failed and start";
  writers.text = "nothing keeps a second instance from writing to it";
  for (const auto& [name, service] : organisation.services) {
    if (service.job) continue;  // is neither replaced nor restarted
    deploys.subjects.push_back(name);
    restarts.subjects.push_back(name);
    if (service.single_writer()) writers.subjects.push_back(name);
  }
  for (Loss* loss : {&restarts, &deploys, &writers}) {
    if (!loss->subjects.empty()) out.losses.push_back(std::move(*loss));
  }
  for (const auto& [service, scale] : given.overrides.scale) {
    out.losses.push_back(
        {"services.NAME.replicas",
         {service},
         fmt::format("as many as the file says, not the {} that {} asked for", scale.replicas, scale.who)});
  }
}

}  // namespace

std::string describe(const Loss& loss) {
  std::string whose = loss.subjects.empty() ? "" : fmt::format(" ({})", join(loss.subjects, ", "));
  return fmt::format("{}{}: {}", loss.key, whose, loss.text);
}

Result<Departure> depart(const Given& given) {
  FH_ASSIGN(Ground ground, lay_out(given));
  Departure out;
  for (const auto& [name, place] : ground.places) {
    const std::string& release = given.composed.services.at(name)->spec.runtime.release;
    if (!release.empty()) out.trees.push_back({in_root(place.folder), release});
  }
  for (const auto& [digest, folder] : ground.files) out.trees.push_back({in_root(folder), digest});
  write_units(given, ground, out);
  write_proxy(given, ground, out);
  note_what_stays_behind(given, out);
  write_guide(given, ground, out);
  return out;
}

}  // namespace freehold::leaving
