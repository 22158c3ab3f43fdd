#include <fmt/core.h>

#include <algorithm>

#include "model/names.h"
#include "model/sections.h"

namespace freehold::model {
namespace {

constexpr uint64_t kMostReplicas = 1000;

void read_environment(Reading& reading, const Value& value, Service& service, Mentions& mentions) {
  std::string what = fmt::format("env of service '{}'", service.name);
  for (const auto& [entry, item] : read_entries(reading, value, what, "a mapping of names to texts")) {
    Place key{value.source, entry->key_mark};
    if (!is_environment_name(entry->key)) {
      reading.report.error(key, fmt::format("{} cannot name an environment variable", quote(entry->key)),
                           {fmt::format("expected: {}", kEnvironmentNameRule)});
      continue;
    }
    bool reserved = entry->key.starts_with("LISTEN_") || entry->key.starts_with("FREEHOLD_");
    if (reserved || (entry->key == "PORT" && item.node->text != "${PORT}")) {
      reading.report.error(key, fmt::format("'{}' is set by Freehold for each instance", entry->key),
                           {reserved ? "names that start with LISTEN_ and FREEHOLD_ are reserved"
                                     : "give the program ${PORT}; its number is chosen when it starts"});
      continue;
    }
    auto text =
        read_environment_value(reading, item, fmt::format("{} in {}", entry->key, what), service.name, mentions);
    if (text) service.env.emplace(entry->key, *std::move(text));
  }
}

void read_secret_uses(Reading& reading, const Value& value, Service& service) {
  std::string what = fmt::format("secrets of service '{}'", service.name);
  for (const auto& [entry, item] : read_entries(reading, value, what, "a mapping such as {cookie_key: file}")) {
    Place key{value.source, entry->key_mark};
    auto form = read_choice(reading, item, fmt::format("{} in {}", quote(entry->key), what), kSecretForms);
    if (!is_secret_name(entry->key)) {
      reading.report.error(key, fmt::format("{} cannot name a secret", quote(entry->key)),
                           {fmt::format("expected: {}", kSecretNameRule)});
      continue;
    }
    if (!form) continue;
    SecretUse use{entry->key, static_cast<SecretForm>(*form)};
    if (use.form == SecretForm::kEnv && (!is_environment_name(use.name) || service.env.contains(use.name))) {
      reading.report.error(key,
                           fmt::format("the secret '{}' cannot be an environment variable of the same name", use.name),
                           {service.env.contains(use.name) ? "env sets it too; keep one of the two"
                                                           : "use file, or write it in env with ${secret.NAME}"});
    }
    reading.secret_uses.push_back({use.name, key});
    service.secrets.push_back(std::move(use));
  }
  std::ranges::sort(service.secrets, {}, &SecretUse::name);
}

Limits read_limits(Reading& reading, const Value& value, const std::string& name) {
  Limits limits;
  Section section(reading, value, fmt::format("limits of service '{}'", name), kLimitsKeys);
  if (!section.valid()) return limits;
  auto what = [&](std::string_view key) { return section.name_of(key); };
  if (auto cpu = section.find("cpu")) limits.cpu = read_number(reading, *cpu, what("cpu"), 0.01, 1024);
  if (auto memory = section.find("memory")) {
    limits.memory = read_bytes(reading, *memory, what("memory"), Bytes{1 << 20});
  }
  if (auto pids = section.find("pids")) limits.pids = read_count(reading, *pids, what("pids"), 1, 4'194'304);
  if (auto files = section.find("files")) limits.files = read_count(reading, *files, what("files"), 16, 1'048'576);
  return limits;
}

Stop read_stop(Reading& reading, const Value& value, const std::string& name) {
  Stop stop;
  Section section(reading, value, fmt::format("stop of service '{}'", name), kStopKeys);
  if (!section.valid()) return stop;
  if (auto signal = section.find("signal")) {
    int number = signal->is_scalar() ? signal_number(signal->node->text) : 0;
    if (number != 0) {
      stop.signal = number;
    } else {
      refuse(reading, *signal, section.name_of("signal"), "TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL");
    }
  }
  if (auto grace = section.find("grace")) {
    assign(stop.grace, read_duration(reading, *grace, section.name_of("grace"), Zero::kAllowed));
  }
  return stop;
}

Restart read_restart(Reading& reading, const Value& value, const std::string& name) {
  Restart restart;
  Section section(reading, value, fmt::format("restart of service '{}'", name), kRestartKeys);
  if (!section.valid()) return restart;
  if (auto backoff = section.find("backoff")) {
    assign(restart.backoff, read_duration(reading, *backoff, section.name_of("backoff"), Zero::kRefused));
  }
  if (auto most = section.find("most")) {
    assign(restart.most, read_duration(reading, *most, section.name_of("most"), Zero::kRefused));
  } else {
    restart.most = std::max(restart.most, restart.backoff);
  }
  if (auto loop = section.find("crash_loop")) {
    assign(restart.crash_loop, read_rate(reading, *loop, section.name_of("crash_loop")));
  }
  if (restart.backoff > restart.most) {
    reading.report.error(
        section.key_place("backoff"),
        fmt::format("backoff {} is longer than most {}", format(restart.backoff), format(restart.most)),
        {"the wait before a restart grows from backoff up to most"});
  }
  return restart;
}

Deploy read_deploy(Reading& reading, const Value& value, const std::string& name) {
  Deploy deploy;
  Section section(reading, value, fmt::format("deploy of service '{}'", name), kDeployKeys);
  if (!section.valid()) return deploy;
  auto what = [&](std::string_view key) { return section.name_of(key); };
  if (auto strategy = section.find("strategy")) read_choice(reading, *strategy, what("strategy"), kStrategies);
  if (auto batch = section.find("batch")) {
    assign(deploy.batch, read_count(reading, *batch, what("batch"), 1, kMostReplicas));
  }
  if (auto drain = section.find("drain")) {
    assign(deploy.drain, read_duration(reading, *drain, what("drain"), Zero::kAllowed));
  }
  if (auto deadline = section.find("deadline")) {
    assign(deploy.deadline, read_duration(reading, *deadline, what("deadline"), Zero::kRefused));
  }
  if (auto failure = section.find("on_failure")) {
    assign(deploy.on_failure, read_choice(reading, *failure, what("on_failure"), kOnFailure));
  }
  return deploy;
}

void read_needs(Reading& reading, const Value& value, Service& service) {
  std::string what = fmt::format("needs of service '{}'", service.name);
  if (!value.is_list()) return refuse(reading, value, what, "a list of services, such as [database]");
  for (const codec::YamlNode& node : value.node->items) {
    Value item{&node, value.source};
    auto name = read_text(reading, item, fmt::format("an item of {}", what), "the name of a service");
    if (!name) continue;
    if (name->starts_with("database.") || name->starts_with("cache.")) {
      refuse_unbuilt(reading, item.place(), *name, what);
      continue;
    }
    if (std::ranges::find(service.needs, *name) != service.needs.end()) {
      reading.report.error(item.place(), fmt::format("{} stands twice in {}", quote(*name), what));
      continue;
    }
    reading.service_uses.push_back({service.name, *name, item.place(), ServiceUse::Kind::kNeeds});
    service.needs.push_back(*std::move(name));
  }
}

void read_commands(Reading& reading, const Section& section, Service& service, Mentions& mentions) {
  if (auto run = section.find("run")) {
    service.run = read_command(reading, *run, section.name_of("run"), service.name, TemplateUse::kRun, mentions);
  } else if (!section.has("image") && !section.has(kMergeKey)) {
    reading.report.error(section.key_place("run"), fmt::format("{} has no 'run'", section.what()),
                         {"expected: run: ./bin/program --port ${PORT}"});
  }
  if (auto prepare = section.find("prepare")) {
    service.prepare =
        read_command(reading, *prepare, section.name_of("prepare"), service.name, TemplateUse::kPrepare, mentions);
  }
}

// Rules between keys of one service.
void check_service(Reading& reading, const Section& section, const Service& service, const Mentions& mentions) {
  if (service.single_writer() && service.replicas > 1) {
    auto one = std::ranges::find(service.volumes, Writers::kOne, &Volume::writers);
    reading.report.error(section.find("replicas")->place(),
                         fmt::format("{} has {} replicas, but its volume '{}' has one writer", section.what(),
                                     service.replicas, one->name),
                         {"set replicas: 1, or writers: many if the program can share the folder with itself"});
  }
  for (const Mentions::VolumeName& mention : mentions.volumes) {
    if (std::ranges::find(service.volumes, mention.name, &Volume::name) != service.volumes.end()) continue;
    reading.report.error(mention.place, fmt::format("{} has no volume {}", section.what(), quote(mention.name)),
                         {"expected: one of the volumes of the same service"});
  }
  if (service.listen == Listening::kSockets && service.health.kind == HealthKind::kTcp) {
    reading.report.error(
        section.key_place("health"),
        fmt::format("a tcp health check cannot tell whether {} works, which listens by sockets", section.what()),
        {"its socket takes connections before the program runs; use http or exec"});
  }
  bool probes_port = service.health.kind == HealthKind::kHttp || service.health.kind == HealthKind::kTcp;
  if (probes_port && !mentions.port && service.listen == Listening::kPort) {
    reading.report.warning(section.key_place("health"),
                           fmt::format("health asks at the port of {}, which never mentions ${{PORT}}", section.what()),
                           {"give it to the program in run, or say that it reads it: env: {PORT: \"${PORT}\"}"});
  }
}

Service read_service(Reading& reading, const std::string& name, const Value& value) {
  Service service;
  service.name = name;
  Section section(reading, value, fmt::format("service '{}'", name), kServiceKeys);
  if (!section.valid()) return service;
  Mentions mentions;
  read_commands(reading, section, service, mentions);
  if (auto user = section.find("user")) {
    auto text = read_text(reading, *user, section.name_of("user"), kUserRule);
    if (text && !is_user_name(*text)) {
      refuse(reading, *user, section.name_of("user"), kUserRule);
    } else if (text) {
      service.user = *text;
    }
  }
  if (auto replicas = section.find("replicas")) {
    assign(service.replicas, read_count(reading, *replicas, section.name_of("replicas"), 0, kMostReplicas));
  }
  if (auto env = section.find("env")) read_environment(reading, *env, service, mentions);
  if (auto secrets = section.find("secrets")) read_secret_uses(reading, *secrets, service);
  if (auto limits = section.find("limits")) service.limits = read_limits(reading, *limits, name);
  if (auto volumes = section.find("volumes")) service.volumes = read_volumes(reading, *volumes, name);
  if (auto listen = section.find("listen")) {
    assign(service.listen, read_choice(reading, *listen, section.name_of("listen"), kListenings));
  }
  if (auto health = section.find("health")) service.health = read_health(reading, *health, name, mentions);
  if (auto stop = section.find("stop")) service.stop = read_stop(reading, *stop, name);
  if (auto restart = section.find("restart")) service.restart = read_restart(reading, *restart, name);
  if (auto needs = section.find("needs")) read_needs(reading, *needs, service);
  if (auto deploy = section.find("deploy")) service.deploy = read_deploy(reading, *deploy, name);
  read_job(reading, section, service, mentions);
  service.paths.assign(mentions.paths.begin(), mentions.paths.end());
  check_service(reading, section, service, mentions);
  return service;
}

}  // namespace

void read_services(Reading& reading, const Value& value) {
  for (const auto& [entry, item] : read_entries(reading, value, "services", "a mapping of names to services")) {
    Place key{value.source, entry->key_mark};
    if (!is_name(entry->key)) {
      reading.report.error(key, fmt::format("{} cannot name a service", quote(entry->key)),
                           {fmt::format("expected: {}", kNameRule)});
      continue;
    }
    if (entry->key == "freehold") {
      reading.report.error(key, "'freehold' cannot name a service", {"the name is the platform's own"});
      continue;
    }
    auto [first, inserted] = reading.services.emplace(entry->key, key);
    if (!inserted) {
      reading.report.error(key, fmt::format("service '{}' stands twice", entry->key),
                           {fmt::format("see {}", at(first->second))});
      continue;
    }
    reading.organisation.services.emplace(entry->key, read_service(reading, entry->key, item));
  }
}

}  // namespace freehold::model
