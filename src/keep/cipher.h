// The primitives that the age format is made of, by OpenSSL. Internal to keep.
//
// All keys are 32 raw bytes. Nothing fails but what reads foreign bytes, and scrypt for want of memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_cipher_ctx_st;

namespace freehold::keep {

inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kTagBytes = 16;
inline constexpr size_t kNonceBytes = 12;

// Overwritten, so that it is not found in memory that was given back.
void forget(std::string& secret);

// ChaCha20-Poly1305 (RFC 8439) without associated data, under one key. One thread at a time.
class Cipher {
 public:
  using Nonce = std::array<uint8_t, kNonceBytes>;

  explicit Cipher(std::string_view key);
  // The encrypted bytes with their tag.
  std::string seal(const Nonce& nonce, std::string_view bytes);
  // Nothing if they were not sealed by this key and nonce.
  std::optional<std::string> open(const Nonce& nonce, std::string_view sealed);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::string key_;
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

// HKDF with SHA-256 (RFC 5869): one key.
std::string derive_key(std::string_view secret, std::string_view salt, std::string_view purpose);

// scrypt (RFC 7914) with r = 8, p = 1, N = 2^work_factor: it takes 2^work_factor KiB of memory. kExhausted without
// that.
Result<std::string> stretch(std::string_view passphrase, std::string_view salt, int work_factor);

// X25519 (RFC 7748).
std::string public_half(std::string_view private_key);
// Nothing if the other half is of low order: everybody would know what is agreed on.
std::optional<std::string> agree(std::string_view private_key, std::string_view other_public);

}  // namespace freehold::keep
