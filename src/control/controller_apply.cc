// What people ask for: each becomes a draft of a generation or of overrides, and then a rollout.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "contents/manifest.h"
#include "control/controller.h"
#include "net/listen.h"

namespace freehold::control {
namespace {

// What makes two generations run the same: everything but number, parent, time, who, why and how it ended.
codec::Json essence(Generation generation) {
  generation.number = generation.parent = 0;
  generation.created = {};
  generation.who.clear();
  generation.message.clear();
  generation.outcome.clear();
  generation.status = GenerationStatus::kPending;
  return codec::to_json(generation);
}

}  // namespace

Result<void> Controller::take_contents(const model::Submission& submission, Purpose purpose, Draft& draft) {
  std::vector<std::string> missing;
  auto store_manifest = [&](const codec::Json& json, std::string& digest) -> Result<void> {
    FH_ASSIGN(contents::Manifest manifest, contents::Manifest::parse(json.dump(), {}));
    digest = manifest.digest();
    if (purpose == Purpose::kPlan) return {};
    for (const contents::ManifestEntry& entry : manifest.entries) {
      if (entry.kind != contents::Kind::kFile) continue;
      FH_ASSIGN(bool there, parts_.contents.hold(entry.digest));
      if (!there) missing.push_back(entry.path);
    }
    FH_ASSIGN(digest, parts_.contents.put(manifest.canonical()));
    return {};
  };
  for (const auto& [service, manifest] : submission.releases) {
    if (!draft.generation.organisation.services.contains(service)) continue;
    FH_TRY(store_manifest(manifest, draft.generation.releases[service]));
  }
  for (const auto& [folder, manifest] : submission.files)
    FH_TRY(store_manifest(manifest, draft.generation.files[folder]));
  if (!missing.empty()) {
    return Error(ErrorCode::kInvalid, fmt::format("{} files were not uploaded, the first is {}; run the command again",
                                                  missing.size(), missing.front()));
  }
  for (const auto& [name, service] : draft.generation.organisation.services) {
    if (!service.paths.empty() && !draft.generation.releases.contains(name)) {
      return Error(ErrorCode::kInvalid, fmt::format("service {} names files, and none came with it", name));
    }
  }
  return {};
}

Result<void> Controller::allocate(const model::Organisation& organisation, Allocations& allocations) {
  std::set<uint16_t> taken;
  for (const auto& [service, port] : allocations.addresses) taken.insert(port);
  uint16_t next = options_.first_address;
  for (const auto& [name, service] : organisation.services) {
    if (allocations.addresses.contains(name)) continue;
    // Another organisation on this machine may have given it out too.
    auto in_use = [&](uint16_t port) {
      return taken.contains(port) || !net::is_free(net::SocketAddress::loopback(port));
    };
    while (in_use(next) && next < options_.last_address) ++next;
    if (in_use(next)) {
      return Error(ErrorCode::kExhausted,
                   fmt::format("there is no address left for service {}: all of 127.0.0.1:{}-{} are given out", name,
                               options_.first_address, options_.last_address));
    }
    taken.insert(next);
    allocations.addresses[name] = next;
  }
  return {};
}

Result<Controller::Draft> Controller::draft(const model::Submission& submission, Purpose purpose) {
  std::map<std::string, const std::string*> texts;
  for (const model::SourceText& source : submission.sources) texts[source.path] = &source.text;
  model::FileInput input;
  input.path = submission.file;
  input.load = [&](const std::string& path) -> Result<std::string> {
    auto found = texts.find(path);
    if (found == texts.end()) return Error(ErrorCode::kNotFound, fmt::format("{} was not sent along", path));
    return *found->second;
  };
  input.environment = [&](const std::string& name) -> std::optional<std::string> {
    auto found = submission.environment.find(name);
    return found == submission.environment.end() ? std::nullopt : std::optional(found->second);
  };
  input.secret_names.emplace();
  for (const auto& [name, value] : submission.secrets) input.secret_names->insert(name);
  model::ParsedFile file = model::parse_file(input);
  if (!file.organisation) return Error(ErrorCode::kInvalid, file.diagnostics.format(model::Colour::kNever));

  Draft draft;
  draft.generation.number = ledger_.last_generation() + 1;
  draft.generation.parent = ledger_.current;
  draft.generation.created = now().wall;
  draft.generation.message = submission.message;
  draft.generation.organisation = *std::move(file.organisation);
  draft.generation.file = submission.file;
  for (const model::SourceFile& source : file.sources) {
    draft.generation.sources[source.path] = codec::sha256_hex(source.text);
    if (purpose == Purpose::kApply) FH_TRY(parts_.contents.put(source.text));
  }
  FH_TRY(take_contents(submission, purpose, draft));
  for (const std::string& name : file.secrets_used) {
    auto value = submission.secrets.find(name);
    if (value == submission.secrets.end())
      return Error(ErrorCode::kInvalid, fmt::format("the secret {} has no value", name));
    FH_ASSIGN(std::string hash, parts_.secrets.hash(name, value->second));
    draft.generation.secret_hashes[name] = hash;
    if (ledger_.sealed_secret(hash)) continue;
    FH_ASSIGN(draft.sealed[hash], parts_.secrets.seal(name, value->second));
  }
  draft.allocations = ledger_.allocations;
  FH_TRY(allocate(draft.generation.organisation, draft.allocations));
  draft.overrides = carried_overrides(ledger_.overrides, draft.generation.organisation);
  FH_ASSIGN(draft.composed,
            compose(draft.generation, draft.allocations, draft.overrides, composed_ ? &*composed_ : nullptr));
  return draft;
}

Result<Plan> Controller::plan(const model::Submission& submission, const std::string& who) {
  FH_ASSIGN(Draft planned, draft(submission, Purpose::kPlan));
  Plan plan = make_plan(planned.composed, composed_ ? &*composed_ : nullptr, connected_ ? &observed_ : nullptr,
                        ledger_.overrides, now().wall);
  record({"plan.made",
          fmt::format("generation {}", plan.target),
          plan.empty() ? "nothing to change"
                       : fmt::format("{} services and {} routes would change", plan.changes.size(), plan.routes.size()),
          who,
          {}});
  return plan;
}

Result<Accepted> Controller::apply(const model::Submission& submission, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  if (submission.base) FH_TRY(check_base(*submission.base, ledger_.current));
  FH_ASSIGN(Draft planned, draft(submission, Purpose::kApply));
  planned.generation.who = who;
  if (generation_ && essence(planned.generation) == essence(*generation_)) {
    // The same again: no new generation, but what an override or a failure left undone is done.
    planned.generation = *generation_;
    FH_ASSIGN(planned.composed, compose(planned.generation, planned.allocations, planned.overrides, &*composed_));
    Plan plan =
        make_plan(planned.composed, &*composed_, connected_ ? &observed_ : nullptr, ledger_.overrides, now().wall);
    if (plan.empty()) return Accepted{0, ledger_.current, parts_.events.last_id()};
  }
  return begin(RolloutKind::kApply, std::move(planned), who);
}

Result<Accepted> Controller::rollback(std::optional<uint64_t> number, const std::string& who) {
  auto& running = ledger_.rollout;
  bool rolling = running && running->outcome == Outcome::kRunning;
  if (rolling && !number && running->kind == RolloutKind::kApply && running->direction == Direction::kForward)
    return take_back(who);
  FH_TRY(refuse_while_rolling());
  if (!number) {
    FH_ASSIGN(std::vector<Generation> all, ledger_.generations(options_.keep_generations * 2));
    for (const Generation& generation : all) {
      if (generation.status == GenerationStatus::kSuperseded && generation.number < ledger_.current) {
        number = generation.number;
        break;
      }
    }
    if (!number) return Error(ErrorCode::kNotFound, "there is no generation before this one to go back to");
  }
  if (*number == ledger_.current)
    return Error(ErrorCode::kInvalid, fmt::format("generation {} is the current one", *number));
  FH_ASSIGN(Generation wanted, ledger_.generation(*number));
  Draft planned;
  planned.generation = std::move(wanted);
  planned.generation.number = ledger_.last_generation() + 1;
  planned.generation.parent = ledger_.current;
  planned.generation.created = now().wall;
  planned.generation.who = who;
  planned.generation.message = fmt::format("rollback to generation {}", *number);
  planned.generation.outcome.clear();
  planned.allocations = ledger_.allocations;
  FH_TRY(allocate(planned.generation.organisation, planned.allocations));
  planned.overrides = carried_overrides(ledger_.overrides, planned.generation.organisation);
  FH_ASSIGN(planned.composed,
            compose(planned.generation, planned.allocations, planned.overrides, composed_ ? &*composed_ : nullptr));
  return begin(RolloutKind::kRollback, std::move(planned), who);
}

// The generation before the one that is being applied is the current one still: back to it is the way that it came.
Result<Accepted> Controller::take_back(const std::string& who) {
  Rollout& rollout = *ledger_.rollout;
  Rollout before = rollout;
  request_undo(rollout, fmt::format("{} asked for a rollback", who));
  auto written = ledger_.commit({.rollout = true});
  if (!written) {
    rollout = std::move(before);
    return written.error();
  }
  uint64_t event = parts_.events.last_id();
  record({"rollout.undoing", fmt::format("generation {}", rollout.target), "going back: " + rollout.reason, who,
          detail_of(rollout)});
  timer_.start(Duration::zero());
  return Accepted{rollout.id, rollout.previous, event, /*undoes=*/true};
}

Result<Accepted> Controller::begin_override(RolloutKind kind, Overrides overrides, const std::string& who,
                                            const std::string& what) {
  Draft planned;
  planned.generation = *generation_;
  planned.generation.message = what;
  planned.allocations = ledger_.allocations;
  planned.overrides = std::move(overrides);
  FH_ASSIGN(planned.composed, compose(planned.generation, planned.allocations, planned.overrides, &*composed_));
  return begin(kind, std::move(planned), who);
}

Result<Accepted> Controller::restart(const std::string& service, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  FH_TRY(require_service(service));
  Overrides overrides = ledger_.overrides;
  ++overrides.restarts[service];
  return begin_override(RolloutKind::kRestart, std::move(overrides), who, fmt::format("restart of {}", service));
}

Result<Accepted> Controller::scale(const std::string& service, uint32_t replicas, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  FH_TRY(require_service(service));
  const model::Service& declared = generation_->organisation.services.at(service);
  FH_TRY(check_scale(declared, replicas));
  Overrides overrides = ledger_.overrides;
  if (replicas == declared.replicas) {
    overrides.scale.erase(service);  // as the file says: nothing departs from it any more
  } else {
    overrides.scale[service] = {replicas, who, now().wall};
  }
  return begin_override(RolloutKind::kScale, std::move(overrides), who,
                        fmt::format("{} to {} instances", service, replicas));
}

Result<Accepted> Controller::drain(const std::string& subject, bool off, const std::string& who) {
  FH_TRY(refuse_while_rolling());
  std::string service(service_of(subject).empty() ? std::string_view(subject) : service_of(subject));
  FH_TRY(require_service(service));
  if (service != subject) {
    auto list = ledger_.desired.instances.find(service);
    bool known =
        list != ledger_.desired.instances.end() &&
        std::ranges::any_of(list->second, [&](const PlacedInstance& placed) { return placed.instance.id == subject; });
    if (!known) return Error(ErrorCode::kNotFound, fmt::format("there is no instance {}", subject));
  }
  Overrides overrides = ledger_.overrides;
  if (off) {
    overrides.drained.erase(subject);
  } else {
    overrides.drained[subject] = {who, now().wall};
  }
  return begin_override(RolloutKind::kDrain, std::move(overrides), who,
                        fmt::format("{} {}", subject, off ? "takes requests again" : "takes no new requests"));
}

Result<Accepted> Controller::down(const std::string& who) {
  auto& rollout = ledger_.rollout;
  if (rollout && rollout->outcome == Outcome::kRunning) {
    if (rollout->kind == RolloutKind::kDown) return Accepted{rollout->id, rollout->target, parts_.events.last_id()};
    // Whoever wants everything stopped does not want to wait for what is being started, nor for the way back.
    Rollout before = *rollout;
    give_up(*rollout, who, now());
    auto written = ledger_.commit({.rollout = true});
    if (!written) {
      *rollout = std::move(before);
      return written.error();
    }
    timer_.cancel();
    finish_rollout();
  }
  if (!generation_) return down_before_first_generation(who);
  Overrides overrides = ledger_.overrides;
  overrides.down = AskedBy{who, now().wall};
  return begin_override(RolloutKind::kDown, std::move(overrides), who, "everything stops");
}

// What a first apply that was given up, or failed, has left is stopped like everything else.
Result<Accepted> Controller::down_before_first_generation(const std::string& who) {
  if (!ledger_.rollout) {
    finishing_ = true;
    parts_.node.finish();
    return Accepted{0, 0, parts_.events.last_id()};
  }
  Draft nothing;
  nothing.generation.message = "everything stops";
  nothing.composed.organisation = ledger_.rollout->organisation;
  nothing.allocations = ledger_.allocations;
  nothing.overrides = ledger_.overrides;
  nothing.overrides.down = AskedBy{who, now().wall};
  return begin(RolloutKind::kDown, std::move(nothing), who);
}

Result<void> Controller::require_service(const std::string& service) const {
  if (!generation_) return Error(ErrorCode::kNotFound, "nothing has been applied yet; run `freehold up`");
  if (generation_->organisation.services.contains(service)) return {};
  std::vector<std::string_view> names;
  for (const auto& [name, declared] : generation_->organisation.services) names.push_back(name);
  std::string_view near = near_name(service, names);
  return Error(ErrorCode::kNotFound, fmt::format("there is no service '{}'{}", service,
                                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Result<Plan> Controller::diff(uint64_t from, uint64_t to) {
  FH_ASSIGN(Generation old_generation, ledger_.generation(from));
  FH_ASSIGN(Generation new_generation, ledger_.generation(to));
  Allocations allocations = ledger_.allocations;
  FH_TRY(allocate(old_generation.organisation, allocations));
  FH_TRY(allocate(new_generation.organisation, allocations));
  FH_ASSIGN(Composed before, compose(old_generation, allocations, {}));
  FH_ASSIGN(Composed after, compose(new_generation, allocations, {}, &before));
  return make_plan(after, &before, nullptr, {}, now().wall);
}

std::vector<Departure> Controller::departures() const {
  if (!composed_) return {};
  return make_plan(*composed_, &*composed_, connected_ ? &observed_ : nullptr, ledger_.overrides, now().wall)
      .departures;
}

std::vector<ServiceProgress> Controller::progress() const {
  if (!ledger_.rollout) return {};
  return progress_of(*ledger_.rollout, ledger_.desired, observed_, now());
}

}  // namespace freehold::control
