// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by OpenSSL.
//
// Digests that name contents are 64 lower-case hex digits everywhere; digests that are keys or tags are 32 raw bytes.
// Nothing here fails: OpenSSL can only run out of memory, which ends the process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace freehold::codec {

// The digest of bytes that arrive in pieces. One thread at a time.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  // The digest of everything so far, as hex, and a fresh start.
  std::string finish_hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::string_view bytes);
// 64 lower-case hex digits: the only form in which a digest from outside is accepted.
bool is_sha256_hex(std::string_view text);

// 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Takes the same time wherever the two differ. Their lengths are not secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace freehold::codec
