#include "auth/seal.h"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

#include "auth/key_file.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/hash.h"

namespace freehold::auth {
namespace {

constexpr std::string_view kForm = "v1:";
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
int length_of(std::string_view text) { return static_cast<int>(text.size()); }

// What is authenticated beside the value. The form is part of it: a value cannot be passed off as one of another form.
std::string bound_to(std::string_view name) { return fmt::format("freehold {}{}", kForm, name); }

Error cannot_unseal(std::string_view name) {
  return Error(ErrorCode::kCorrupt, fmt::format("the sealed value of '{}' cannot be opened: it was changed, or sealed "
                                                "with another key; set the secret again",
                                                name));
}

}  // namespace

Sealer::Sealer(os::Random& random, std::string_view key)
    : random_(&random),
      seal_key_(codec::hmac_sha256(key, "freehold seal v1")),
      hash_key_(codec::hmac_sha256(key, "freehold hash v1")) {}

Sealer::~Sealer() {
  OPENSSL_cleanse(seal_key_.data(), seal_key_.size());
  OPENSSL_cleanse(hash_key_.data(), hash_key_.size());
}

Result<Sealer> Sealer::load(os::Disk& disk, os::Random& random, const std::string& path) {
  FH_ASSIGN(std::string key, read_key_file(disk, path));
  if (key.size() != kKeyBytes) {
    return Error(ErrorCode::kCorrupt, fmt::format("{} has {} bytes, a key has {}: put the right one back from a backup",
                                                  path, key.size(), kKeyBytes));
  }
  Sealer sealer(random, key);
  OPENSSL_cleanse(key.data(), key.size());
  return sealer;
}

Result<Sealer> Sealer::load_or_create(os::Disk& disk, os::Random& random, const std::string& path) {
  auto loaded = load(disk, random, path);
  if (loaded) FH_TRY(settle_key_file(disk, path));
  if (loaded || loaded.error().code() != ErrorCode::kNotFound) return loaded;
  FH_TRY(write_key_file(disk, path, random.bytes(kKeyBytes)));
  return load(disk, random, path);
}

Result<std::string> Sealer::seal(std::string_view name, std::string_view value) const {
  if (value.size() > kMostValueBytes) {
    return Error(ErrorCode::kExhausted,
                 fmt::format("the secret '{}' is larger than {}", name, format_short(Bytes{kMostValueBytes})));
  }
  std::string nonce = random_->bytes(kNonceBytes);
  std::string bound = bound_to(name);
  std::string sealed(value.size(), '\0');
  std::string tag(kTagBytes, '\0');
  int length = 0;
  Cipher cipher(EVP_CIPHER_CTX_new());
  bool worked =
      cipher &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(seal_key_), bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(bound), length_of(bound)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(sealed), &length, bytes_of(value), length_of(value)) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), nullptr, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  if (!worked) return Error(ErrorCode::kInternal, fmt::format("the secret '{}' cannot be sealed", name));
  return fmt::format("{}{}", kForm, codec::base64_encode(nonce + sealed + tag));
}

Result<std::string> Sealer::unseal(std::string_view name, std::string_view text) const {
  if (!text.starts_with(kForm)) {
    bool newer = text.starts_with('v') && text.substr(0, 8).find(':') != std::string_view::npos;
    if (!newer) return cannot_unseal(name);
    return Error(ErrorCode::kUnsupported,
                 fmt::format("the value of '{}' was sealed by a newer Freehold: run that one again", name));
  }
  text.remove_prefix(kForm.size());
  // Before decoding: what is too large was never sealed here.
  if (text.size() > (kMostValueBytes + kNonceBytes + kTagBytes + 2) / 3 * 4) return cannot_unseal(name);
  auto decoded = codec::base64_decode(text);
  if (!decoded || decoded->size() < kNonceBytes + kTagBytes) return cannot_unseal(name);
  std::string_view all = *decoded;
  std::string_view nonce = all.substr(0, kNonceBytes);
  std::string_view sealed = all.substr(kNonceBytes, all.size() - kNonceBytes - kTagBytes);
  std::string tag(all.substr(all.size() - kTagBytes));
  std::string bound = bound_to(name);
  std::string value(sealed.size(), '\0');
  int length = 0;
  Cipher cipher(EVP_CIPHER_CTX_new());
  bool worked =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(seal_key_), bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(bound), length_of(bound)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(value), &length, bytes_of(sealed), length_of(sealed)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), nullptr, &length) == 1;
  if (!worked) {
    OPENSSL_cleanse(value.data(), value.size());
    return cannot_unseal(name);
  }
  return value;
}

std::string Sealer::hash(std::string_view name, std::string_view value) const {
  // The length keeps ("ab", "c") apart from ("a", "bc").
  return to_hex(codec::hmac_sha256(hash_key_, fmt::format("{}:{}{}", name.size(), name, value)));
}

}  // namespace freehold::auth
