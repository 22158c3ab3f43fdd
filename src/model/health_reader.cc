#include <fmt/core.h>

#include <algorithm>

#include "model/names.h"
#include "model/sections.h"

namespace freehold::model {
namespace {

void read_probe(Reading& reading, const Section& section, const std::string& service, Health& health,
                Mentions& mentions) {
  if (auto http = section.find("http")) {
    health.kind = HealthKind::kHttp;
    auto path = read_text(reading, *http, section.name_of("http"), "a path such as /health");
    if (path && (!path->starts_with('/') || path->find_first_of(" #") != std::string::npos)) {
      refuse(reading, *http, section.name_of("http"), "a path such as /health");
    } else if (path) {
      health.path = *path;
    }
  } else if (auto tcp = section.find("tcp")) {
    health.kind = HealthKind::kTcp;
    if (!tcp->is_nothing() && tcp->node->text != "${PORT}") {
      refuse(reading, *tcp, section.name_of("tcp"), "${PORT}: the probe asks at the instance's own port");
    }
  } else if (auto exec = section.find("exec")) {
    health.kind = HealthKind::kExec;
    health.command = read_command(reading, *exec, section.name_of("exec"), service, TemplateUse::kExec, mentions);
  }
}

}  // namespace

Health read_health(Reading& reading, const Value& value, const std::string& service, Mentions& mentions) {
  Health health;
  Section section(reading, value, fmt::format("health of service '{}'", service), kHealthKeys);
  if (!section.valid()) return health;
  auto what = [&](std::string_view key) { return section.name_of(key); };
  int kinds = section.has("http") + section.has("tcp") + section.has("exec");
  if (kinds != 1) {
    reading.report.error(
        value.place(),
        fmt::format("{} has {} of http, tcp and exec", section.what(), kinds == 0 ? "none" : "more than one"),
        {"expected: exactly one of them"});
  }
  read_probe(reading, section, service, health, mentions);
  if (auto every = section.find("every")) {
    assign(health.every, read_duration(reading, *every, what("every"), Zero::kRefused));
  }
  if (auto timeout = section.find("timeout")) {
    assign(health.timeout, read_duration(reading, *timeout, what("timeout"), Zero::kRefused));
  } else {
    health.timeout = std::min(health.timeout, health.every);
  }
  if (health.timeout > health.every) {
    reading.report.error(
        section.key_place("timeout"),
        fmt::format("timeout {} is longer than every {}", format(health.timeout), format(health.every)),
        {"a probe must end before the next one begins"});
  }
  if (auto start = section.find("start")) {
    assign(health.start, read_duration(reading, *start, what("start"), Zero::kAllowed));
  }
  if (auto after = section.find("healthy_after")) {
    assign(health.healthy_after, read_count(reading, *after, what("healthy_after"), 1, 100));
  }
  if (auto after = section.find("unhealthy_after")) {
    assign(health.unhealthy_after, read_count(reading, *after, what("unhealthy_after"), 1, 100));
  }
  return health;
}

std::vector<Volume> read_volumes(Reading& reading, const Value& value, const std::string& service) {
  std::vector<Volume> volumes;
  std::string all = fmt::format("volumes of service '{}'", service);
  for (const auto& [entry, item] : read_entries(reading, value, all, "a mapping of names to volumes")) {
    Place key{value.source, entry->key_mark};
    if (!is_name(entry->key)) {
      reading.report.error(key, fmt::format("{} cannot name a volume", quote(entry->key)),
                           {fmt::format("expected: {}", kNameRule)});
      continue;
    }
    Volume volume{.name = entry->key, .path = {}};
    std::string what = fmt::format("volume '{}' of service '{}'", volume.name, service);
    if (!item.is_nothing()) {
      Section section(reading, item, what, kVolumeKeys);
      if (!section.valid()) continue;
      if (auto writers = section.find("writers")) {
        assign(volume.writers, read_choice(reading, *writers, section.name_of("writers"), kWriters));
      }
      if (auto path = section.find("path")) {
        auto text = read_text(reading, *path, section.name_of("path"), "an absolute path");
        if (text && (!text->starts_with('/') || "/" + normalise(*text) != *text || *text == "/.")) {
          refuse(reading, *path, section.name_of("path"),
                 "an absolute path without '..', '//' and a final '/'; without one, Freehold keeps the folder");
        } else if (text) {
          volume.path = *text;
          reading.volumes.push_back({what, *text, volume.writers, path->place()});
        }
      }
    }
    volumes.push_back(std::move(volume));
  }
  std::ranges::sort(volumes, {}, &Volume::name);
  return volumes;
}

}  // namespace freehold::model
