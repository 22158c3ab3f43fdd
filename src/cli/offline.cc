#include "cli/offline.h"

#include <fmt/core.h>

#include "api/answers.h"
#include "auth/seal.h"
#include "os/clock.h"
#include "os/process.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace freehold::cli {
namespace {

// A person waits, and nobody holds the database for long.
constexpr Duration kBusy = std::chrono::seconds(2);
constexpr size_t kMostGenerations = 1000;

// Hashes by the state's own key, so that a secret that did not change does not seem to. Without a key, of a state that
// never had a secret, every one is new.
class KeyedHashes : public control::SecretBox {
 public:
  explicit KeyedHashes(std::optional<auth::Sealer> sealer) : sealer_(std::move(sealer)) {}
  Result<std::string> seal(const std::string& name, const std::string&) override {
    return Error(ErrorCode::kUnsupported, fmt::format("secret {}: nothing is stored by a plan", name));
  }
  Result<std::string> hash(const std::string& name, const std::string& value) override {
    return sealer_ ? sealer_->hash(name, value) : std::string("new");
  }

 private:
  std::optional<auth::Sealer> sealer_;
};

}  // namespace

Offline::Offline(os::Disk& disk, model::Layout layout, std::unique_ptr<store::Store> store, control::Onlooker onlooker)
    : disk_(disk), layout_(std::move(layout)), store_(std::move(store)), onlooker_(std::move(onlooker)) {}

Result<Offline> Offline::open(os::Disk& disk, const model::Layout& layout) {
  store::SqliteStoreOptions options;
  options.access = store::Access::kRead;
  options.busy_timeout = kBusy;
  FH_ASSIGN(std::unique_ptr<store::Store> store, store::open_sqlite_store(disk, layout.state_database(), options));
  FH_ASSIGN(control::Onlooker onlooker, control::Onlooker::open(*store));
  if (onlooker.ledger().last_generation() == 0)
    return Error(ErrorCode::kNotFound, fmt::format("nothing was ever applied at {}", layout.root));
  return Offline(disk, layout, std::move(store), std::move(onlooker));
}

Result<api::PlanAnswer> Offline::plan(const Project& project, WallTime now) const {
  std::optional<auth::Sealer> sealer;
  if (!project.submission.secrets.empty()) {
    auto loaded = auth::Sealer::load(disk_, os::system_random(), layout_.seal_key());
    if (!loaded && loaded.error().code() != ErrorCode::kNotFound) return loaded.error();
    if (loaded) sealer.emplace(*std::move(loaded));
  }
  KeyedHashes secrets(std::move(sealer));
  FH_ASSIGN(control::Plan plan, onlooker_.plan(project.submission, secrets, now));
  return api::plan_answer(plan);
}

Result<api::PlanAnswer> Offline::diff(uint64_t from, uint64_t to, WallTime now) const {
  FH_ASSIGN(control::Plan plan, control::compare_generations(onlooker_.ledger(), from, to, {}, now));
  return api::plan_answer(plan);
}

Result<std::vector<api::GenerationSummary>> Offline::history() const {
  FH_ASSIGN(std::vector<control::GenerationHead> heads, onlooker_.ledger().heads(kMostGenerations));
  return api::summaries_of(heads);
}

Result<control::Lock> Offline::lock() const {
  FH_ASSIGN(std::string boot, os::boot_id());
  store::Leases leases(*store_, os::system_clock(), {.boot = boot, .span = store::LeaseSpan::kOneMachine});
  return control::read_lock(leases);
}

std::string Offline::explain(WallTime now) const {
  const control::LedgerReader& ledger = onlooker_.ledger();
  std::string out = fmt::format("nothing answers at {}: this is from what is stored there", layout_.root);
  auto head = ledger.current == 0 ? Result<control::GenerationHead>(Error(ErrorCode::kNotFound, ""))
                                  : ledger.head(ledger.current);
  if (head) {
    out += fmt::format(" (generation {}, applied {} ago by {})", head->number, format_short(now - head->created),
                       head->who);
  } else {
    out += " (no apply has succeeded yet)";
  }
  out += "; what really runs was not looked at\n";
  if (ledger.rollout && ledger.rollout->outcome == control::Outcome::kRunning) {
    out += fmt::format("{} of generation {} by {} was interrupted: the next `freehold up` goes on with it first\n",
                       enum_names(ledger.rollout->kind)[static_cast<size_t>(ledger.rollout->kind)],
                       ledger.rollout->target, ledger.rollout->who);
  }
  return out;
}

Result<api::PlanAnswer> plan_from_nothing(const Project& project, WallTime now) {
  store::MemoryStore store;
  KeyedHashes secrets(std::nullopt);
  FH_ASSIGN(control::Onlooker onlooker, control::Onlooker::open(store));
  FH_ASSIGN(control::Plan plan, onlooker.plan(project.submission, secrets, now));
  return api::plan_answer(plan);
}

}  // namespace freehold::cli
