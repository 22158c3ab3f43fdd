#include "keep/cipher.h"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdlib>

#include "base/units.h"
#include "codec/hash.h"

namespace freehold::keep {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeKey>;
struct FreeKeyContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeKeyContext>;

// What can only fail for want of memory, which ends the process.
void require(bool worked) {
  if (!worked) std::abort();
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
int length_of(std::string_view text) { return static_cast<int>(text.size()); }

KeyPointer private_key_of(std::string_view raw) {
  KeyPointer key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes_of(raw), raw.size()));
  require(key != nullptr);
  return key;
}

}  // namespace

void forget(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

void Cipher::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

Cipher::Cipher(std::string_view key) : key_(key), context_(EVP_CIPHER_CTX_new()) { require(context_ != nullptr); }

std::string Cipher::seal(const Nonce& nonce, std::string_view bytes) {
  std::string out(bytes.size() + kTagBytes, '\0');
  int length = 0;
  EVP_CIPHER_CTX* context = context_.get();
  require(EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, bytes_of(key_), nonce.data()) == 1 &&
          EVP_EncryptUpdate(context, bytes_of(out), &length, bytes_of(bytes), length_of(bytes)) == 1 &&
          EVP_EncryptFinal_ex(context, nullptr, &length) == 1 &&
          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, out.data() + bytes.size()) == 1);
  return out;
}

std::optional<std::string> Cipher::open(const Nonce& nonce, std::string_view sealed) {
  if (sealed.size() < kTagBytes) return std::nullopt;
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  sealed.remove_suffix(kTagBytes);
  std::string out(sealed.size(), '\0');
  int length = 0;
  EVP_CIPHER_CTX* context = context_.get();
  require(EVP_DecryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, bytes_of(key_), nonce.data()) == 1 &&
          EVP_DecryptUpdate(context, bytes_of(out), &length, bytes_of(sealed), length_of(sealed)) == 1 &&
          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context, nullptr, &length) == 1) return out;
  forget(out);
  return std::nullopt;
}

std::string derive_key(std::string_view secret, std::string_view salt, std::string_view purpose) {
  // One block of output is all that is asked for: extract, then expand once.
  static const std::string kNoSalt(kKeyBytes, '\0');
  std::string extracted = codec::hmac_sha256(salt.empty() ? kNoSalt : salt, secret);
  return codec::hmac_sha256(extracted, std::string(purpose) + '\x01');
}

Result<std::string> stretch(std::string_view passphrase, std::string_view salt, int work_factor) {
  constexpr uint64_t kBlock = 8;
  constexpr uint64_t kSpare = 1 << 20;
  uint64_t cost = uint64_t{1} << work_factor;
  uint64_t memory = 128 * kBlock * cost + kSpare;
  std::string key(kKeyBytes, '\0');
  if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), bytes_of(salt), salt.size(), cost, kBlock, 1, memory,
                     bytes_of(key), key.size()) == 1)
    return key;
  return Error(ErrorCode::kExhausted,
               fmt::format("making a key of the passphrase takes {} of memory, and there is not so much",
                           format_short(Bytes{memory})));
}

std::string public_half(std::string_view private_key) {
  std::string out(kKeyBytes, '\0');
  size_t length = out.size();
  require(EVP_PKEY_get_raw_public_key(private_key_of(private_key).get(), bytes_of(out), &length) == 1);
  return out;
}

std::optional<std::string> agree(std::string_view private_key, std::string_view other_public) {
  KeyPointer mine = private_key_of(private_key);
  KeyPointer other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytes_of(other_public), other_public.size()));
  KeyContext context(EVP_PKEY_CTX_new(mine.get(), nullptr));
  require(other != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
          EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1);
  std::string out(kKeyBytes, '\0');
  size_t length = out.size();
  if (EVP_PKEY_derive(context.get(), bytes_of(out), &length) != 1) return std::nullopt;
  return out;
}

}  // namespace freehold::keep
