#include "keep/age_header.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>
#include <vector>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "keep/cipher.h"

namespace freehold::keep {
namespace {

constexpr std::string_view kEnd = "---";
constexpr std::string_view kScryptLabel = "age-encryption.org/v1/scrypt";
constexpr std::string_view kX25519Label = "age-encryption.org/v1/X25519";
constexpr size_t kSaltBytes = 16;
constexpr size_t kMostStanzas = 32;
constexpr size_t kColumns = 64;         // of a stanza's body
constexpr int kHighestWorkFactor = 20;  // a gibibyte: what a file may ask of whoever opens it

struct Stanza {
  std::vector<std::string_view> words;
  std::string body;
};

// Without padding, as age writes it.
std::string encode(std::string_view bytes) {
  std::string text = codec::base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::optional<std::string> decode(std::string_view text, size_t size) {
  std::string padded(text);
  if (padded.ends_with('=')) return std::nullopt;
  padded.append((4 - padded.size() % 4) % 4, '=');
  auto bytes = codec::base64_decode(padded);
  if (!bytes || bytes->size() != size) return std::nullopt;
  return *std::move(bytes);
}

std::string stanza(std::string_view words, std::string_view body) {
  return fmt::format("-> {}\n{}\n", words, encode(body));
}

std::string tag_of(std::string_view file_key, std::string_view header) {
  return codec::hmac_sha256(derive_key(file_key, {}, "header"), header);
}

Error damaged() {
  return Error(ErrorCode::kCorrupt, "its header is damaged: it was changed, or not written to its end");
}

// The lines after the introduction, up to the tag.
Result<std::vector<Stanza>> parse_stanzas(std::string_view lines) {
  std::vector<Stanza> out;
  bool body_goes_on = false;
  for (std::string_view line : split(lines, '\n')) {
    if (!body_goes_on) {
      if (!line.starts_with("-> ") || out.size() == kMostStanzas) return damaged();
      out.push_back({split(line.substr(3), ' '), {}});
      body_goes_on = true;
      continue;
    }
    if (line.size() > kColumns) return damaged();
    out.back().body += line;
    body_goes_on = line.size() == kColumns;
  }
  if (body_goes_on || out.empty()) return damaged();
  return out;
}

Result<std::optional<std::string>> unwrap(const Stanza& stanza, const Key& key) {
  std::optional<std::string> body = decode(stanza.body, kFileKeyBytes + kTagBytes);
  bool by_words = key.kind() == Key::Kind::kPassphrase;
  if (by_words && stanza.words.size() == 3 && stanza.words[0] == "scrypt") {
    std::optional<std::string> salt = decode(stanza.words[1], kSaltBytes);
    int factor = 0;
    const std::string_view number = stanza.words[2];
    auto [stop, failure] = std::from_chars(number.data(), number.data() + number.size(), factor);
    if (!salt || !body || failure != std::errc() || stop != number.data() + number.size() || factor < 1)
      return damaged();
    if (factor > kHighestWorkFactor) {
      return Error(ErrorCode::kUnsupported,
                   fmt::format("its passphrase is stretched by a factor of {}, more than {}: Freehold did not write it",
                               factor, kHighestWorkFactor));
    }
    FH_ASSIGN(std::string wrapping, stretch(key.bytes(), std::string(kScryptLabel) + *salt, factor));
    return Cipher(wrapping).open({}, *body);
  }
  if (key.kind() == Key::Kind::kPrivate && stanza.words.size() == 2 && stanza.words[0] == "X25519") {
    std::optional<std::string> share = decode(stanza.words[1], kKeyBytes);
    if (!share || !body) return damaged();
    std::optional<std::string> secret = agree(key.bytes(), *share);
    if (!secret) return damaged();
    return Cipher(derive_key(*secret, *share + key.public_bytes(), kX25519Label)).open({}, *body);
  }
  return std::optional<std::string>();
}

}  // namespace

Result<std::string> write_age_header(const Key& key, std::string_view file_key, int work_factor, os::Random& random) {
  std::string header(kAgeIntroduction);
  if (key.kind() == Key::Kind::kPassphrase) {
    std::string salt = random.bytes(kSaltBytes);
    FH_ASSIGN(std::string wrapping, stretch(key.bytes(), std::string(kScryptLabel) + salt, work_factor));
    header += stanza(fmt::format("scrypt {} {}", encode(salt), work_factor), Cipher(wrapping).seal({}, file_key));
  } else {
    Key passing = Key::generate(random);
    std::string share = passing.public_bytes();
    std::string recipient = key.public_bytes();
    std::optional<std::string> secret = agree(passing.bytes(), recipient);
    if (!secret) return Error(ErrorCode::kInvalid, "this public key protects nothing: it is of low order");
    header += stanza(fmt::format("X25519 {}", encode(share)),
                     Cipher(derive_key(*secret, share + recipient, kX25519Label)).seal({}, file_key));
  }
  header += kEnd;
  return fmt::format("{} {}\n", header, encode(tag_of(file_key, header)));
}

Result<size_t> end_of_age_header(std::string_view bytes) {
  std::string_view start = bytes.substr(0, kAgeIntroduction.size());
  if (start != kAgeIntroduction.substr(0, start.size())) {
    bool newer = bytes.starts_with("age-encryption.org/");
    return newer ? Error(ErrorCode::kUnsupported, "it was encrypted by a newer version of the age format")
                 : Error(ErrorCode::kInvalid, "this is no backup");
  }
  size_t last = bytes.find(fmt::format("\n{} ", kEnd));
  size_t end = last == std::string_view::npos ? last : bytes.find('\n', last + 1);
  if (end == std::string_view::npos) return bytes.size() > kMostHeader ? Result<size_t>(damaged()) : 0;
  return end + 1;
}

Result<std::string> open_age_header(std::string_view header, const Key& key) {
  size_t last = header.rfind(fmt::format("\n{} ", kEnd));
  if (!header.starts_with(kAgeIntroduction) || last == std::string_view::npos || last < kAgeIntroduction.size())
    return damaged();
  if (!key.opens())
    return Error(ErrorCode::kDenied, "a public key opens nothing; give the private one that belongs to it");
  size_t tagged = last + 1 + kEnd.size();
  FH_ASSIGN(std::vector<Stanza> stanzas,
            parse_stanzas(header.substr(kAgeIntroduction.size(), last - kAgeIntroduction.size())));
  std::string_view rest = header.substr(tagged);  // " TAG\n"
  std::optional<std::string> tag;
  if (rest.starts_with(' ') && rest.ends_with('\n')) tag = decode(rest.substr(1, rest.size() - 2), kKeyBytes);
  for (const Stanza& stanza : stanzas) {
    FH_ASSIGN(std::optional<std::string> file_key, unwrap(stanza, key));
    if (!file_key) continue;
    if (!tag || !codec::equal_in_constant_time(*tag, tag_of(*file_key, header.substr(0, tagged)))) return damaged();
    return *std::move(file_key);
  }
  return Error(ErrorCode::kDenied, key.kind() == Key::Kind::kPassphrase
                                       ? "this passphrase does not open it, or its header was changed"
                                       : "this key does not open it, or its header was changed");
}

}  // namespace freehold::keep
