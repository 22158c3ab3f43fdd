#include "keep/key.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "keep/bech32.h"
#include "keep/cipher.h"

namespace freehold::keep {
namespace {

constexpr std::string_view kPrivatePrefix = "age-secret-key-";
constexpr std::string_view kPublicPrefix = "age";

std::string to_upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

}  // namespace

Key::~Key() { forget(bytes_); }

Result<Key> Key::from_passphrase(std::string_view words) {
  if (words.empty()) return Error(ErrorCode::kInvalid, "an empty passphrase protects nothing");
  if (words.size() > kMostPassphrase)
    return Error(ErrorCode::kInvalid, fmt::format("a passphrase has at most {} bytes", kMostPassphrase));
  return Key(Kind::kPassphrase, std::string(words));
}

Result<Key> Key::from_file(std::string_view text) {
  std::optional<Key> found;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.empty() || line.starts_with('#')) continue;
    bool is_private = to_lower(line.substr(0, kPrivatePrefix.size())) == kPrivatePrefix;
    FH_ASSIGN(std::string bytes, bech32_decode(is_private ? kPrivatePrefix : kPublicPrefix, line));
    if (found || bytes.size() != kKeyBytes) return Error(ErrorCode::kInvalid, "a key file has one key of 32 bytes");
    found.emplace(Key(is_private ? Kind::kPrivate : Kind::kPublic, std::move(bytes)));
  }
  if (found) return *std::move(found);
  return Error(ErrorCode::kInvalid, "there is no key in it; `freehold keygen FILE` makes one");
}

Key Key::generate(os::Random& random) { return Key(Kind::kPrivate, random.bytes(kKeyBytes)); }

std::string Key::public_bytes() const { return kind_ == Kind::kPublic ? bytes_ : public_half(bytes_); }

std::string Key::public_text() const { return bech32_encode(kPublicPrefix, public_bytes()); }

std::string Key::file_text() const {
  return fmt::format("# public key: {}\n{}\n", public_text(), to_upper(bech32_encode(kPrivatePrefix, bytes_)));
}

}  // namespace freehold::keep
