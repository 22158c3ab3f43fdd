#include "leaving/rich_export.h"

#include "model/file.h"
#include "os/disk.h"

namespace freehold::leaving {

Result<Departure> export_of_rich(WithSecrets with) {
  const std::string folder = FREEHOLD_SOURCE_DIR "/tests/golden/export/";
  model::FileInput input;
  input.path = "rich.yaml";
  input.load = input.load_secrets = [&](const std::string& path) {
    return os::system_disk().read(folder + path, Bytes{1 << 20});
  };
  model::ParsedFile file = model::parse_file(input);
  if (!file.organisation) return Error(ErrorCode::kInvalid, file.diagnostics.format(model::Colour::kNever));
  control::Generation generation;
  generation.number = 7;
  generation.organisation = *file.organisation;
  for (const auto& [name, value] : file.secrets) generation.secret_hashes[name] = "hash of " + name;
  for (const auto& [name, service] : generation.organisation.services) {
    if (!service.paths.empty()) generation.releases[name] = "manifest of " + name;
  }
  generation.files["public site"] = "manifest of the site";
  control::Allocations allocations;
  // By hand: control looks which ports are free on this machine.
  for (const auto& [name, service] : generation.organisation.services)
    allocations.addresses[name] = static_cast<uint16_t>(19000 + allocations.addresses.size());
  FH_ASSIGN(control::Composed composed, control::compose(generation, allocations, {}));
  Given given{generation, composed, {}, "/var/lib/freehold/coop/volumes", {}};
  given.overrides.scale["shop"] = {.replicas = 5, .who = "ada"};
  if (with == WithSecrets::kYes) given.secrets = file.secrets;
  return depart(given);
}

}  // namespace freehold::leaving
