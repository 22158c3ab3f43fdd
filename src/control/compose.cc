#include "control/compose.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "codec/hash.h"
#include "model/template.h"

namespace freehold::control {
namespace {

constexpr size_t kFingerprintDigits = 32;

// Replaces ${service.NAME.address} and notes whose address was used. Anything else in ${} is left for the agent.
class Substitution {
 public:
  Substitution(const Allocations& allocations, std::map<std::string, uint16_t>& used)
      : allocations_(allocations), used_(used) {}

  Result<> apply(std::string& text) {
    constexpr std::string_view kHead = "${service.";
    constexpr std::string_view kTail = ".address}";
    for (size_t at = text.find(kHead); at != std::string::npos; at = text.find(kHead, at)) {
      size_t close = text.find('}', at);
      size_t tail = close == std::string::npos ? close : close + 1 - kTail.size();
      if (close == std::string::npos || tail < at + kHead.size() || text.compare(tail, kTail.size(), kTail) != 0) {
        at += kHead.size();
        continue;
      }
      std::string service = text.substr(at + kHead.size(), tail - at - kHead.size());
      auto found = allocations_.addresses.find(service);
      if (found == allocations_.addresses.end())
        return Error(ErrorCode::kInvalid, fmt::format("service {} has no internal address", service));
      used_[service] = found->second;
      std::string address = fmt::format("127.0.0.1:{}", found->second);
      text.replace(at, close + 1 - at, address);
      at += address.size();
    }
    return {};
  }
  Result<> apply(std::vector<std::string>& words) {
    for (std::string& word : words) FH_TRY(apply(word));
    return {};
  }

 private:
  const Allocations& allocations_;
  std::map<std::string, uint16_t>& used_;
};

Result<> add_hash(const std::string& name, const Generation& generation, model::Runtime& runtime) {
  auto found = generation.secret_hashes.find(name);
  if (found == generation.secret_hashes.end())
    return Error(ErrorCode::kInvalid, fmt::format("secret {} has no value", name));
  runtime.secret_hashes.insert_or_assign(name, found->second);
  return {};
}

Result<> add_secret_hashes(const Generation& generation, model::Runtime& runtime) {
  constexpr std::string_view kHead = "${secret.";
  for (const model::SecretUse& use : runtime.secrets) FH_TRY(add_hash(use.name, generation, runtime));
  for (const auto& [name, value] : runtime.env) {
    for (size_t at = value.find(kHead); at != std::string::npos; at = value.find(kHead, at + 1)) {
      size_t close = value.find('}', at);
      if (close == std::string::npos) break;
      FH_TRY(add_hash(value.substr(at + kHead.size(), close - at - kHead.size()), generation, runtime));
    }
  }
  return {};
}

// Whether it asks for the port that it is to listen on.
bool listens(const model::Service& service) {
  auto asks = [](const std::string& text) {
    std::vector<model::TemplatePart> parts = model::parse_template(text).parts;
    return std::any_of(parts.begin(), parts.end(),
                       [](const model::TemplatePart& part) { return part.kind == model::PartKind::kPort; });
  };
  return std::any_of(service.run.begin(), service.run.end(), asks) ||
         std::any_of(service.env.begin(), service.env.end(), [&](const auto& entry) { return asks(entry.second); });
}

// The services that routes lead to.
std::set<std::string_view> routed_services(const model::Organisation& organisation) {
  std::set<std::string_view> out;
  for (const model::Route& route : organisation.routes) {
    for (const model::PathRule& rule : route.paths) {
      if (rule.kind == model::TargetKind::kService) out.insert(rule.service);
    }
  }
  return out;
}

Result<ComposedService> compose_service(const model::Service& service, const Generation& generation,
                                        const Allocations& allocations, std::string release, uint64_t restart,
                                        bool routed) {
  ComposedService out;
  out.source = service;
  out.routed = routed;
  out.release = std::move(release);
  out.restart = restart;
  model::Runtime& runtime = out.spec.runtime;
  runtime.service = service.name;
  runtime.generation = generation.number;
  runtime.run = service.run;
  runtime.prepare = service.prepare;
  runtime.user = service.user;
  runtime.env = service.env;
  runtime.secrets = service.secrets;
  runtime.limits = service.limits;
  runtime.volumes = service.volumes;
  if (service.listen != model::Listening::kPort) runtime.listen = service.listen;
  runtime.release = out.release;
  FH_TRY(add_secret_hashes(generation, runtime));

  model::Supervision& supervision = out.spec.supervision;
  supervision.health = service.health;
  // Running is not yet listening: without this a deploy would switch to a program that still starts up.
  // Where the socket is ours, it tells nothing of the program, and what comes early waits in it.
  if (service.health.kind == model::HealthKind::kNone && service.listen == model::Listening::kPort &&
      (routed || listens(service)))
    supervision.health.kind = model::HealthKind::kTcp;
  supervision.stop = service.stop;
  supervision.restart = service.restart;
  supervision.needs = service.needs;
  supervision.drain = service.deploy.drain;
  out.spec.deploy = service.deploy;

  Substitution substitution(allocations, out.addresses);
  FH_TRY(substitution.apply(runtime.run));
  FH_TRY(substitution.apply(runtime.prepare));
  FH_TRY(substitution.apply(supervision.health.command));
  for (auto& [name, value] : runtime.env) FH_TRY(substitution.apply(value));
  runtime.fingerprint = fingerprint(runtime, restart);
  return out;
}

// Whether composing this service again would give what `before` has, apart from what overrides set.
bool same_inputs(const ComposedService& before, const model::Service& service, const Generation& generation,
                 const Allocations& allocations, std::string_view release, uint64_t restart, bool routed) {
  if (before.restart != restart || before.routed != routed) return false;
  if (before.release != release || before.source != service) return false;
  for (const auto& [name, hash] : before.spec.runtime.secret_hashes) {
    auto found = generation.secret_hashes.find(name);
    if (found == generation.secret_hashes.end() || found->second != hash) return false;
  }
  for (const auto& [name, port] : before.addresses) {
    auto found = allocations.addresses.find(name);
    if (found == allocations.addresses.end() || found->second != port) return false;
  }
  return true;
}

template <class Map>
typename Map::mapped_type value_or_default(const Map& map, const std::string& name) {
  auto found = map.find(name);
  return found == map.end() ? typename Map::mapped_type() : found->second;
}

// The part of a spec that overrides decide.
struct Wishes {
  uint32_t replicas = 1;
  bool idle = false;
  std::vector<std::string> drained;

  bool met_by(const ServiceSpec& spec) const {
    return spec.replicas == replicas && spec.idle == idle && spec.drained == drained;
  }
  void apply_to(ServiceSpec& spec) const {
    spec.replicas = replicas;
    spec.idle = idle;
    spec.drained = drained;
  }
};

Wishes wishes_for(const model::Service& service, const Overrides& overrides) {
  Wishes wishes;
  wishes.replicas = service.replicas;
  if (auto scale = overrides.scale.find(service.name); scale != overrides.scale.end())
    wishes.replicas = scale->second.replicas;
  // A second writer must never come up, whoever asked for it; check_scale tells people beforehand.
  if (service.single_writer()) wishes.replicas = std::min(wishes.replicas, 1u);
  if (overrides.down || service.job) wishes.replicas = 0;  // a job has no instances: control/jobs.h
  wishes.idle = overrides.drained.contains(service.name);
  std::string prefix = service.name + ".";
  for (auto at = overrides.drained.lower_bound(prefix); at != overrides.drained.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    wishes.drained.push_back(at->first);
  }
  return wishes;
}

Result<model::Routing> compose_routing(const Generation& generation, const Allocations& allocations,
                                       std::map<std::string, std::string>& folders) {
  model::Routing routing;
  routing.gateway = generation.organisation.gateway;
  routing.routes = generation.organisation.routes;
  routing.keep = generation.organisation.keep;
  for (const auto& [name, service] : generation.organisation.services) {
    if (service.job) continue;  // nothing connects to it
    auto port = allocations.addresses.find(name);
    if (port == allocations.addresses.end())
      return Error(ErrorCode::kInvalid, fmt::format("service {} has no internal address", name));
    routing.addresses.emplace_hint(routing.addresses.end(), name, port->second);
    routing.speaks_http.emplace_hint(routing.speaks_http.end(), name, service.health.kind == model::HealthKind::kHttp);
  }
  for (model::Route& route : routing.routes) {
    for (model::PathRule& rule : route.paths) {
      if (rule.kind == model::TargetKind::kService) routing.speaks_http[rule.service] = true;
      if (rule.kind != model::TargetKind::kFiles) continue;
      auto digest = generation.files.find(rule.files);
      if (digest == generation.files.end())
        return Error(ErrorCode::kInvalid, fmt::format("the contents of folder {} were not taken", rule.files));
      folders[digest->second] = rule.files;
      rule.files = digest->second;
    }
  }
  return routing;
}

}  // namespace

std::string fingerprint(const model::Runtime& runtime, uint64_t restart) {
  codec::Json json = codec::to_json(runtime);
  json.set("fingerprint", "");
  json.set("generation", 0);
  json.set("restarts", restart);
  return codec::sha256_hex(json.dump()).substr(0, kFingerprintDigits);
}

Result<Composed> compose(const Generation& generation, const Allocations& allocations, const Overrides& overrides,
                         const Composed* previous) {
  Composed out;
  out.generation = generation.number;
  out.organisation = generation.organisation.name;
  out.timezone = generation.organisation.timezone;
  std::set<std::string_view> routed = routed_services(generation.organisation);
  for (const auto& [name, service] : generation.organisation.services) {
    std::string release = value_or_default(generation.releases, name);
    uint64_t restart = value_or_default(overrides.restarts, name);
    Wishes wishes = wishes_for(service, overrides);
    std::shared_ptr<const ComposedService> before;
    if (previous != nullptr) {
      auto found = previous->services.find(name);
      if (found != previous->services.end()) before = found->second;
    }
    if (before && same_inputs(*before, service, generation, allocations, release, restart, routed.contains(name))) {
      if (!wishes.met_by(before->spec)) {
        auto copy = std::make_shared<ComposedService>(*before);
        wishes.apply_to(copy->spec);
        before = std::move(copy);
      }
      out.services.emplace_hint(out.services.end(), name, std::move(before));
      continue;
    }
    auto composed =
        compose_service(service, generation, allocations, std::move(release), restart, routed.contains(name));
    if (!composed) return composed.error().with_context("service " + name);
    wishes.apply_to(composed->spec);
    if (before && before->spec.runtime.fingerprint == composed->spec.runtime.fingerprint)
      composed->spec.runtime.generation = before->spec.runtime.generation;
    out.services.emplace_hint(out.services.end(), name, std::make_shared<const ComposedService>(*std::move(composed)));
    ++out.composed_anew;
  }
  FH_ASSIGN(out.routing, compose_routing(generation, allocations, out.folders));
  return out;
}

}  // namespace freehold::control
