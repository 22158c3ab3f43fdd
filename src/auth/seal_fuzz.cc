// Any bytes as a sealed value that the state gives back: nothing that this key did not seal opens, whatever was changed
// in it, and what it did seal comes back as it was.
#include <cstdint>
#include <cstdlib>

#include "auth/seal.h"
#include "os/fault_disk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using freehold::auth::Sealer;
  static freehold::os::FaultDisk disk;
  static freehold::os::SeededRandom random(1);
  static Sealer sealer = *Sealer::load_or_create(disk, random, "/seal");
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto stranger = sealer.unseal("name", bytes);
  if (stranger.ok()) std::abort();
  if (stranger.error().message().empty()) std::abort();

  std::string_view value = bytes.substr(0, Sealer::kMostValueBytes);
  std::string text = *sealer.seal("name", value);
  auto opened = sealer.unseal("name", text);
  if (!opened || *opened != value) std::abort();
  if (size == 0) return 0;
  std::string changed = text;
  size_t at = (size_t{data[0]} | size_t{data[size - 1]} << 8) % changed.size();
  changed[at] = static_cast<char>(changed[at] ^ (1 + data[size / 2] % 127));
  auto forged = sealer.unseal("name", changed);
  if (forged && *forged != value) std::abort();
  return 0;
}
