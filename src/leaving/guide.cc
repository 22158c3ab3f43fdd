#include "leaving/guide.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace freehold::leaving {
namespace {

std::string steps(const Given& given, const Ground& ground, const Departure& departure) {
  bool stream =
      std::ranges::any_of(departure.files, [](const TextFile& file) { return file.path.ends_with("/stream.conf"); });
  std::string out = fmt::format(
      "# {0} without Freehold\n\n"
      "Generation {1} as systemd units, an nginx configuration and files. `root/` is a picture of the machine's "
      "folders.\n\n"
      "## What to do\n"
      "On a Debian 12, as root. Where Freehold still runs, `freehold down` comes first: ports can be had once.\n\n"
      "    apt install nginx curl{2}\n"
      "    tar -C root -cf - . | tar -C / -xpf - --no-same-owner --no-overwrite-dir\n"
      "    systemd-sysusers && systemd-tmpfiles --create\n",
      ground.name, given.composed.generation, stream ? " libnginx-mod-stream" : "");
  for (const auto& [name, service] : given.composed.services) {
    const Place& place = ground.places.at(name);
    for (const model::Volume& volume : service->spec.runtime.volumes) {
      const std::string& path = place.volumes.at(volume.name);
      if (volume.path.empty()) {
        out +=
            fmt::format("    mkdir -p {0} && cp -a {1}/{2}/{3}/. {0}/\n", path, given.kept_volumes, name, volume.name);
        if (place.own_user) out += fmt::format("    chown -R {0}:{0} {1}\n", place.user, path);
      } else if (place.own_user) {
        out += fmt::format("    chown -R {0}:{0} {1}\n", place.user, path);
      }
    }
  }
  out += fmt::format(
      "    systemctl daemon-reload && systemctl enable --now {0}.target\n"
      "    nginx -t && systemctl reload nginx\n\n"
      "nginx's own default site takes port 80 on every host: remove /etc/nginx/sites-enabled/default if {0} has it.\n",
      ground.name);
  if (stream)
    out += fmt::format("In /etc/nginx/nginx.conf, outside of `http`: `include /etc/nginx/{}/stream.conf;`.\n",
                       ground.name);
  return out;
}

std::string secrets(const Given& given, const Ground& ground) {
  std::string out;
  for (const auto& [name, service] : given.composed.services) {
    for (const auto& [secret, hash] : service->spec.runtime.secret_hashes)
      out += fmt::format("- {} for {}\n", secret, name);
  }
  if (out.empty()) return "";
  std::string where = ground.base + "/secrets";
  std::string how =
      given.secrets
          ? fmt::format("Their values are in `root{}`, in the clear. Remove this folder when you are done.", where)
          : fmt::format(
                "Their values were not exported (`--secrets` does). Until they are there, services that "
                "use them do not start: as files {0}/NAME, or in {0}/SERVICE.env, made like "
                "SERVICE.env.example; `chmod 600`.",
                where);
  return fmt::format("\n## Secrets\n{}\n\n{}", how, out);
}

std::string places(const Given& given, const Ground& ground) {
  std::string out = "\n## Where things are\n| service | units | starts in | runs as |\n|---|---|---|---|\n";
  for (const auto& [name, service] : given.composed.services) {
    const Place& place = ground.places.at(name);
    out += fmt::format("| {} | {} | {} | {} |\n", name, join(place.units(place.timed ? "timer" : "service"), " "),
                       place.folder, place.user);
  }
  return out +
         "\nAn instance of a template is named by its port. One more: its name in the\n"
         "target, `systemctl daemon-reload`, `systemctl start UNIT@PORT.service`, and a `server` in nginx's "
         "`upstream`.\n";
}

constexpr std::string_view kOtherwise = R"(
## What is otherwise
- While no instance takes a request, nginx answers 502 at once; Freehold waited some seconds for one.
- Error pages, ETags and the Server header are nginx's. Of X-Forwarded-* from outside only the usual names are dropped.
- An encoded slash (%2F) in a path counts as a slash when nginx looks for its place; Freehold refused it where that mattered.
- What services print goes to the journal: `journalctl -u UNIT`. There are no events, no history and no rollback.
- A program's files are readable for its own user alone only where that user was made here (systemd-tmpfiles does it).
)";

}  // namespace

void write_guide(const Given& given, const Ground& ground, Departure& out) {
  std::string text = steps(given, ground, out) + secrets(given, ground) + places(given, ground);
  text += "\n## What could not be expressed\n";
  for (const Loss& loss : out.losses) text += fmt::format("- {}\n", describe(loss));
  text += kOtherwise;
  out.files.push_back({"README.md", std::move(text)});
}

}  // namespace freehold::leaving
