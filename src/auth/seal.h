// Sealer: secret values at rest, and hashes that stand for them.
//
//   FH_ASSIGN(Sealer sealer, Sealer::load_or_create(disk, random, state + "/keys/seal.key"));
//   std::string text = *sealer.seal("database-password", value);   // "v1:" and base64; safe to store
//   FH_ASSIGN(std::string back, sealer.unseal("database-password", text));
//
// AES-256-GCM with a fresh random nonce (NIST SP 800-38D); the name is authenticated, so that a sealed value cannot be
// put under another name. hash() is HMAC-SHA-256 over name and value: it tells in a plan that a value changed, and says
// nothing about it to who has no key. Both keys come from the one in the file.
//
// Losing the key file loses every sealed value: it belongs into the backup, apart from the state. Errors: kCorrupt (not
// sealed by this key under this name, or changed since), kUnsupported (a newer form), kDenied (see read_key_file).
// Any thread, if `random` may be used by any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/disk.h"
#include "os/random.h"

namespace freehold::auth {

class Sealer {
 public:
  static constexpr size_t kKeyBytes = 32;
  static constexpr size_t kMostValueBytes = 1 << 20;

  // kNotFound if there is no key file: for those who only unseal.
  static Result<Sealer> load(os::Disk& disk, os::Random& random, const std::string& path);
  static Result<Sealer> load_or_create(os::Disk& disk, os::Random& random, const std::string& path);

  Sealer(Sealer&&) = default;
  Sealer& operator=(Sealer&&) = delete;
  ~Sealer();

  Result<std::string> seal(std::string_view name, std::string_view value) const;
  Result<std::string> unseal(std::string_view name, std::string_view text) const;
  // 64 hexadecimal digits.
  std::string hash(std::string_view name, std::string_view value) const;

 private:
  Sealer(os::Random& random, std::string_view key);

  os::Random* random_;
  std::string seal_key_;
  std::string hash_key_;
};

}  // namespace freehold::auth
