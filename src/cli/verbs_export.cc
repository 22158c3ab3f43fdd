// export: how to leave.
#include <fmt/core.h>

#include "auth/seal.h"
#include "cli/offline.h"
#include "cli/verbs.h"
#include "contents/materialise.h"
#include "leaving/leaving.h"
#include "os/random.h"

namespace freehold::cli {
namespace {

constexpr Bytes kLargestManifest{64 << 20};

using Values = std::map<std::string, std::string>;

// The values as they are kept: those that this generation ran with, whatever the store beside the file says by now.
Result<Values> unseal(os::Disk& disk, const model::Layout& layout, const control::LedgerReader& ledger,
                      const control::Generation& generation) {
  Values out;
  if (generation.secret_hashes.empty()) return out;
  FH_ASSIGN(auth::Sealer sealer, auth::Sealer::load(disk, os::system_random(), layout.seal_key()));
  for (const auto& [name, hash] : generation.secret_hashes) {
    FH_ASSIGN(std::string sealed, ledger.sealed_secret(hash));
    FH_ASSIGN(out[name], sealer.unseal(name, sealed));
  }
  return out;
}

// Writes into a folder beside the one that was asked for, which is then there whole or not at all.
class Writer {
 public:
  Writer(os::Disk& disk, std::string folder, mode_t mode)
      : disk_(disk), folder_(std::move(folder)), unfinished_(folder_ + ".unfinished"), mode_(mode) {}

  Result<> write(const contents::Contents& contents, const leaving::Departure& departure) {
    FH_TRY(check_free());
    auto written = fill(contents, departure);
    if (written) written = disk_.rename(unfinished_, folder_);
    if (!written) (void)disk_.remove_tree(unfinished_).ok();
    return written;
  }

 private:
  Result<> check_free() {
    auto entries = disk_.list(folder_);
    if (disk_.exists(folder_) && (!entries || !entries->empty()))
      return Error(ErrorCode::kConflict, fmt::format("{} is there and not an empty folder; name another one", folder_));
    if (disk_.exists(unfinished_))
      return Error(ErrorCode::kConflict,
                   fmt::format("{} is left of an export that was interrupted; remove it", unfinished_));
    return {};
  }

  // Modes are exact, whatever the umask: this is laid over the folders of a machine.
  Result<> make_folder(const std::string& path) {
    if (disk_.exists(path)) return {};
    FH_TRY(make_folder(os::parent_path(path)));
    FH_TRY(disk_.make_directories(path, 0755));
    return disk_.set_mode(path, 0755);
  }

  Result<> fill(const contents::Contents& contents, const leaving::Departure& departure) {
    FH_TRY(disk_.make_directories(unfinished_, mode_));
    FH_TRY(disk_.set_mode(unfinished_, mode_));
    for (const leaving::Tree& tree : departure.trees) {
      FH_ASSIGN(std::string text, contents.read(tree.digest, kLargestManifest));
      FH_ASSIGN(contents::Manifest manifest, contents::Manifest::parse(text, {}));
      std::string path = os::join_path(unfinished_, tree.path);
      FH_TRY(make_folder(os::parent_path(path)));
      FH_TRY(contents::materialise(disk_, contents, manifest, path, {}));
    }
    for (const leaving::TextFile& file : departure.files) {
      std::string path = os::join_path(unfinished_, file.path);
      FH_TRY(make_folder(os::parent_path(path)));
      FH_ASSIGN(std::unique_ptr<os::WritableFile> out, disk_.create(path, file.mode));
      FH_TRY(out->append(file.text));
      FH_TRY(disk_.set_mode(path, file.mode));
    }
    return {};
  }

  os::Disk& disk_;
  const std::string folder_;
  const std::string unfinished_;
  const mode_t mode_;
};

Result<leaving::Departure> export_to(const Invocation& invocation, const std::string& folder, uint64_t& number) {
  os::Disk& disk = os::system_disk();
  FH_ASSIGN(model::Layout layout, layout_of(invocation));
  // Straight from the state, whether or not somebody answers: this must work when nothing else does any more.
  auto opened = Offline::open(disk, layout);
  if (!opened && opened.error().code() == ErrorCode::kNotFound)
    return Error(ErrorCode::kNotFound,
                 fmt::format("nothing was ever applied at {}: there is nothing to export", layout.root));
  if (!opened) return opened.error();
  const Offline& offline = *opened;
  const control::LedgerReader& ledger = offline.ledger();
  number = invocation.generation.value_or(ledger.current);
  if (number == 0)
    return Error(ErrorCode::kNotFound,
                 "no apply has succeeded yet; name a generation: --generation N (freehold history)");
  FH_ASSIGN(control::Generation generation, ledger.generation(number));
  control::Allocations allocations = ledger.allocations;
  FH_TRY(control::allocate(generation.organisation, {}, allocations));
  FH_ASSIGN(control::Composed composed, control::compose(generation, allocations, {}));
  leaving::Given given{generation, composed, {}, layout.volumes(), {}};
  if (number == ledger.current) given.overrides = ledger.overrides;
  if (invocation.secrets) {
    FH_ASSIGN(given.secrets, unseal(disk, layout, ledger, generation));
  }
  FH_ASSIGN(leaving::Departure departure, leaving::depart(given));
  Writer writer(disk, folder, invocation.secrets ? 0700 : 0755);
  FH_TRY(writer.write(contents::Contents(disk, layout.contents()), departure));
  return departure;
}

}  // namespace

int run_export(const Invocation& invocation) {
  std::string folder = invocation.arguments[0];
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  uint64_t number = 0;
  auto departure = export_to(invocation, folder, number);
  if (!departure) return fail(invocation, departure.error());
  if (invocation.output != OutputForm::kHuman) {
    codec::Json files = codec::Json::array();
    for (const leaving::TextFile& file : departure->files) files.push(file.path);
    for (const leaving::Tree& tree : departure->trees) files.push(tree.path + "/");
    print(codec::Json()
              .set("folder", folder)
              .set("generation", number)
              .set("files", std::move(files))
              .set("not_expressed", codec::to_json(departure->losses))
              .dump() +
          "\n");
    return kDone;
  }
  for (const leaving::Loss& loss : departure->losses) talk(fmt::format("not expressed: {}\n", leaving::describe(loss)));
  print(fmt::format("generation {} is in {}; {}/README.md says what to do with it\n", number, folder, folder));
  return kDone;
}

}  // namespace freehold::cli
