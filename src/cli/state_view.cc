#include "cli/state_view.h"

#include <fmt/core.h>

#include <tuple>

#include "control/ledger.h"
#include "control/live_contents.h"
#include "store/sqlite_store.h"

namespace freehold::cli {

Result<keep::StateView> look_at_state(os::Disk& disk, const model::Layout& layout, const std::string& database) {
  store::SqliteStoreOptions options;
  options.access = store::Access::kRead;
  FH_ASSIGN(std::unique_ptr<store::Store> store, store::open_sqlite_store(disk, database, options));
  FH_ASSIGN(control::LedgerReader ledger, control::LedgerReader::look(*store));
  FH_ASSIGN(std::vector<control::GenerationHead> heads, ledger.heads(SIZE_MAX));
  if (heads.empty())
    return Error(ErrorCode::kNotFound,
                 fmt::format("nothing was ever applied at {}: there is nothing to keep", layout.root));
  keep::StateView view;
  view.generation = ledger.current;
  view.generations = heads.size();
  FH_ASSIGN(view.contents, control::live_contents(contents::Contents(disk, layout.contents()), heads, ledger.desired));
  std::set<std::tuple<std::string, std::string, std::string>> volumes;
  for (const control::GenerationHead& head : heads) {
    FH_ASSIGN(control::Generation generation, ledger.generation(head.number));
    // The newest comes first, and the current one has the last word.
    if (view.organisation.empty() || head.number == ledger.current) view.organisation = generation.organisation.name;
    for (const auto& [service, described] : generation.organisation.services) {
      for (const model::Volume& volume : described.volumes) volumes.emplace(service, volume.name, volume.path);
    }
  }
  for (const auto& [service, name, path] : volumes) view.volumes.push_back({service, name, path});
  return view;
}

}  // namespace freehold::cli
