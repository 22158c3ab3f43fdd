#include "control/key_rules.h"

#include <fmt/core.h>

#include "base/text.h"

namespace freehold::control {
namespace {

constexpr size_t kDigestShown = 12;
constexpr std::string_view kSecretValue = "value of secret ";

std::string on_or_number(const auto& value) {
  if constexpr (requires { format(*value); }) {
    return value ? format(*value) : std::string();
  } else {
    return value ? fmt::format("{}", *value) : std::string();
  }
}

std::string health_question(const model::Health& health) {
  switch (health.kind) {
    case model::HealthKind::kNone:
      return "";
    case model::HealthKind::kHttp:
      return "http " + health.path;
    case model::HealthKind::kTcp:
      return "tcp";
    case model::HealthKind::kExec:
      return "exec " + join(health.command, " ");
  }
  return "";
}

void describe_runtime(const ComposedService& service, std::vector<KeyValue>& out) {
  const model::Runtime& runtime = service.spec.runtime;
  auto add = [&](std::string key, std::string value) {
    out.push_back({std::move(key), std::move(value), Effect::kReplace});
  };
  add("run", join(runtime.run, " "));
  add("prepare", join(runtime.prepare, " "));
  add("contents", runtime.release.substr(0, kDigestShown));
  add("user", runtime.user);
  for (const auto& [name, value] : runtime.env) add("env." + name, value.empty() ? "\"\"" : value);
  for (const model::SecretUse& use : runtime.secrets)
    add("secrets." + use.name, std::string(enum_names(use.form)[static_cast<size_t>(use.form)]));
  for (const auto& [name, hash] : runtime.secret_hashes) add(std::string(kSecretValue) + name, hash);
  add("limits.cpu", on_or_number(runtime.limits.cpu));
  add("limits.memory", on_or_number(runtime.limits.memory));
  add("limits.pids", on_or_number(runtime.limits.pids));
  add("limits.files", on_or_number(runtime.limits.files));
  for (const model::Volume& volume : runtime.volumes) {
    add("volumes." + volume.name, fmt::format("{}, writers: {}", volume.path.empty() ? "kept by Freehold" : volume.path,
                                              enum_names(volume.writers)[static_cast<size_t>(volume.writers)]));
  }
  add("listen", std::string(enum_names(service.source.listen)[static_cast<size_t>(service.source.listen)]));
  add("restart asked for", service.restart == 0 ? "" : fmt::format("{}", service.restart));
}

void describe_supervision(const ServiceSpec& spec, const std::optional<model::Job>& job, std::vector<KeyValue>& out) {
  const model::Health& health = spec.supervision.health;
  auto add = [&](std::string key, std::string value) {
    out.push_back({std::move(key), std::move(value), Effect::kInPlace});
  };
  add("health", health_question(health));
  add("health.every", format(health.every));
  add("health.timeout", format(health.timeout));
  add("health.start", format(health.start));
  add("health.healthy_after", fmt::format("{}", health.healthy_after));
  add("health.unhealthy_after", fmt::format("{}", health.unhealthy_after));
  add("stop.signal", fmt::format("{}", spec.supervision.stop.signal));
  add("stop.grace", format(spec.supervision.stop.grace));
  add("restart.backoff", format(spec.supervision.restart.backoff));
  add("restart.most", format(spec.supervision.restart.most));
  add("restart.crash_loop", format(spec.supervision.restart.crash_loop));
  add("needs", join(spec.supervision.needs, ", "));
  if (job) {
    add("schedule", job->schedule);
    add("retries.count", fmt::format("{}", job->retries));
    add("retries.wait", format(job->retry_wait));
    add("missed", std::string(enum_names(job->missed)[static_cast<size_t>(job->missed)]));
  }
  add("deploy.drain", format(spec.deploy.drain));
  add("drained", spec.idle ? "yes" : join(spec.drained, ", "));
}

}  // namespace

std::vector<KeyValue> describe(const ComposedService& service) {
  std::vector<KeyValue> out;
  const ServiceSpec& spec = service.spec;
  describe_runtime(service, out);
  out.push_back({"replicas", fmt::format("{}", spec.replicas), Effect::kScale});
  describe_supervision(spec, service.source.job, out);
  out.push_back({"deploy.batch", fmt::format("{}", spec.deploy.batch), Effect::kNothing});
  out.push_back({"deploy.deadline", format(spec.deploy.deadline), Effect::kNothing});
  out.push_back({"deploy.on_failure",
                 std::string(enum_names(spec.deploy.on_failure)[static_cast<size_t>(spec.deploy.on_failure)]),
                 Effect::kNothing});
  return out;
}

std::vector<KeyChange> changed_keys(const ComposedService& before, const ComposedService& after) {
  std::vector<KeyValue> old_keys = describe(before);
  std::vector<KeyValue> new_keys = describe(after);
  std::map<std::string_view, const KeyValue*> old_by_key;
  for (const KeyValue& key : old_keys) old_by_key.emplace(key.key, &key);
  std::vector<KeyChange> out;
  auto add = [&](const KeyValue& key, std::string old_value, std::string new_value) {
    if (key.key.starts_with(kSecretValue)) {
      if (old_value.empty() || new_value.empty()) return;  // told by the line of its use already
      old_value.clear();
      new_value = "new value";
    }
    out.push_back({key.key, std::move(old_value), std::move(new_value), key.effect});
  };
  for (const KeyValue& key : new_keys) {
    auto found = old_by_key.find(key.key);
    std::string old_value = found == old_by_key.end() ? "" : found->second->value;
    if (found != old_by_key.end()) old_by_key.erase(found);
    if (old_value != key.value) add(key, std::move(old_value), key.value);
  }
  for (const KeyValue& key : old_keys) {
    if (old_by_key.contains(key.key)) add(key, key.value, "");
  }
  return out;
}

}  // namespace freehold::control
