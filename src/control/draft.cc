#include "control/draft.h"

#include <fmt/core.h>

#include <set>

#include "contents/manifest.h"
#include "model/file.h"
#include "net/listen.h"

namespace freehold::control {
namespace {

// Checks the manifests, and with a store keeps them and asks for what they name.
class ContentTaker {
 public:
  ContentTaker(contents::ContentStore* store, Generation& generation) : store_(store), generation_(generation) {}

  Result<void> take(const model::Submission& submission) {
    for (const auto& [service, manifest] : submission.releases) {
      if (!generation_.organisation.services.contains(service)) continue;
      FH_TRY(take_manifest(manifest, generation_.releases[service]));
    }
    for (const auto& [folder, manifest] : submission.files) FH_TRY(take_manifest(manifest, generation_.files[folder]));
    if (!missing_.empty()) {
      return Error(ErrorCode::kInvalid,
                   fmt::format("{} files were not uploaded, the first is {}; run the command again", missing_.size(),
                               missing_.front()));
    }
    for (const auto& [name, service] : generation_.organisation.services) {
      if (!service.paths.empty() && !generation_.releases.contains(name))
        return Error(ErrorCode::kInvalid, fmt::format("service {} names files, and none came with it", name));
    }
    return {};
  }

 private:
  Result<void> take_manifest(const codec::Json& json, std::string& digest) {
    FH_ASSIGN(contents::Manifest manifest, contents::Manifest::parse(json.dump(), {}));
    digest = manifest.digest();
    if (store_ == nullptr) return {};
    for (const contents::ManifestEntry& entry : manifest.entries) {
      if (entry.kind != contents::Kind::kFile) continue;
      FH_ASSIGN(bool there, store_->hold(entry.digest));
      if (!there) missing_.push_back(entry.path);
    }
    FH_ASSIGN(digest, store_->put(manifest.canonical()));
    return {};
  }

  contents::ContentStore* store_;
  Generation& generation_;
  std::vector<std::string> missing_;
};

// The same reading of the same texts as at the caller's.
model::ParsedFile parse_again(const model::Submission& submission) {
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
  return model::parse_file(input);
}

// The parts that follow from the generation and the state.
Result<void> complete(const DraftBase& base, Draft& draft) {
  draft.generation.number = base.ledger.last_generation() + 1;
  draft.generation.parent = base.ledger.current;
  draft.generation.created = base.now;
  draft.allocations = base.ledger.allocations;
  FH_TRY(allocate(draft.generation.organisation, base.addresses, draft.allocations));
  draft.overrides = carried_overrides(base.ledger.overrides, draft.generation.organisation);
  FH_ASSIGN(draft.composed, compose(draft.generation, draft.allocations, draft.overrides, base.composed));
  return {};
}

}  // namespace

Result<void> allocate(const model::Organisation& organisation, AddressRange range, Allocations& allocations) {
  std::set<uint16_t> taken;
  for (const auto& [service, port] : allocations.addresses) taken.insert(port);
  uint16_t next = range.first;
  for (const auto& [name, service] : organisation.services) {
    if (allocations.addresses.contains(name) || service.job) continue;
    // Another organisation on this machine may have given it out too.
    auto in_use = [&](uint16_t port) {
      return taken.contains(port) || !net::is_free(net::SocketAddress::loopback(port));
    };
    while (in_use(next) && next < range.last) ++next;
    if (in_use(next)) {
      return Error(ErrorCode::kExhausted,
                   fmt::format("there is no address left for service {}: all of 127.0.0.1:{}-{} are given out", name,
                               range.first, range.last));
    }
    taken.insert(next);
    allocations.addresses[name] = next;
  }
  return {};
}

Result<Draft> draft_submission(const DraftBase& base, const model::Submission& submission, SecretBox& secrets,
                               contents::ContentStore* contents) {
  model::ParsedFile file = parse_again(submission);
  if (!file.organisation) return Error(ErrorCode::kInvalid, file.diagnostics.format(model::Colour::kNever));
  Draft draft;
  Generation& generation = draft.generation;
  generation.before = base.ledger.current;
  generation.message = submission.message;
  generation.organisation = *std::move(file.organisation);
  generation.services = generation.organisation.services.size();
  generation.file = submission.file;
  for (const model::SourceFile& source : file.sources) {
    generation.sources[source.path] = codec::sha256_hex(source.text);
    if (contents != nullptr) FH_TRY(contents->put(source.text));
  }
  FH_TRY(ContentTaker(contents, generation).take(submission));
  for (const std::string& name : file.secrets_used) {
    auto value = submission.secrets.find(name);
    if (value == submission.secrets.end())
      return Error(ErrorCode::kInvalid, fmt::format("the secret {} has no value", name));
    FH_ASSIGN(std::string hash, secrets.hash(name, value->second));
    generation.secret_hashes[name] = hash;
    auto known = base.ledger.sealed_secret(hash);
    if (known) continue;
    if (known.error().code() != ErrorCode::kNotFound) return known.error();
    if (contents == nullptr) continue;  // nothing will be stored
    FH_ASSIGN(draft.sealed[hash], secrets.seal(name, value->second));
  }
  FH_TRY(complete(base, draft));
  return draft;
}

Result<Draft> draft_rollback(const DraftBase& base, uint64_t number) {
  Draft draft;
  // With the `before` of the old one: see GenerationHead.
  FH_ASSIGN(draft.generation, base.ledger.generation(number));
  draft.generation.message = fmt::format("rollback to generation {}", number);
  draft.generation.outcome.clear();
  FH_TRY(complete(base, draft));
  return draft;
}

}  // namespace freehold::control
