// Key: what a backup is locked with, and opened by.
//
//   FH_ASSIGN(Key key, Key::from_passphrase(words));          // stretched by scrypt
//   FH_ASSIGN(Key key, Key::from_file(text));                 // a key file, as `age-keygen` and `freehold keygen`
//   write
//
// A key file has lines: comments (#), and one key, private ("AGE-SECRET-KEY-1...") or the public half of it
// ("age1..."). With the public half one can make backups and open none, so that a machine that was broken into gives
// away no older one. Values; overwritten when destroyed. Errors: kInvalid, with what was expected, and never the key.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/random.h"

namespace freehold::keep {

class Key {
 public:
  enum class Kind { kPassphrase, kPrivate, kPublic };
  static constexpr size_t kMostPassphrase = 1024;
  static constexpr size_t kMostFile = 4096;

  static Result<Key> from_passphrase(std::string_view words);
  static Result<Key> from_file(std::string_view text);
  // A new private one.
  static Key generate(os::Random& random);

  Key(const Key&) = default;
  Key(Key&&) = default;
  Key& operator=(const Key&) = delete;
  ~Key();

  Kind kind() const { return kind_; }
  bool opens() const { return kind_ != Kind::kPublic; }
  // The words, or the 32 bytes.
  const std::string& bytes() const { return bytes_; }
  std::string public_bytes() const;  // of a private or public one
  std::string public_text() const;   // "age1..."
  std::string file_text() const;     // of a private one: what from_file reads

 private:
  Key(Kind kind, std::string bytes) : kind_(kind), bytes_(std::move(bytes)) {}

  Kind kind_;
  std::string bytes_;
};

}  // namespace freehold::keep
