// Files in the age format, version 1 (https://age-encryption.org/v1): AgeWriter encrypts a stream, AgeReader opens one.
// `age -d` of Debian reads what AgeWriter wrote, and the other way round.
//
// After the header (age_header.h) come chunks of 64 KiB, each under ChaCha20-Poly1305 with its number and whether it is
// the last: a byte that was changed, a chunk that was moved, and an end that is missing are found where they are. Both
// take pieces of any size, hold one chunk, and pass on what they made to a Sink. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "contents/contents.h"
#include "keep/age_header.h"
#include "keep/cipher.h"
#include "keep/key.h"

namespace freehold::keep {

using contents::Sink;

inline constexpr size_t kChunkBytes = 64 << 10;

class AgeWriter {
 public:
  // Gives the header to the sink at once.
  static Result<AgeWriter> begin(const Key& key, os::Random& random, int work_factor, Sink sink);

  Result<void> write(std::string_view bytes);
  // The last chunk. Without it the file cannot be opened to its end.
  Result<void> finish();
  // What the file is encrypted under: opens it without asking for the key again.
  const std::string& file_key() const { return file_key_; }

 private:
  AgeWriter(std::string file_key, std::string_view nonce, Sink sink)
      : file_key_(std::move(file_key)), cipher_(derive_key(file_key_, nonce, "payload")), sink_(std::move(sink)) {}
  Result<void> flush(bool last);

  std::string file_key_;
  Cipher cipher_;
  Sink sink_;
  uint64_t number_ = 0;
  std::string held_;
};

class AgeReader {
 public:
  // Given the header, the key of the file: by a Key, or known already.
  using Opener = std::function<Result<std::string>(std::string_view header)>;
  static Opener opener(const Key& key);

  AgeReader(Opener opener, Sink sink) : opener_(std::move(opener)), sink_(std::move(sink)) {}
  // What reaches the sink is what was written, as far as it goes; that nothing is missing is known after finish().
  Result<void> write(std::string_view bytes);
  Result<void> finish();

 private:
  Result<void> begin_payload();
  Result<void> open_chunk(std::string_view sealed, bool last);

  Opener opener_;
  Sink sink_;
  std::string held_;
  std::string file_key_;            // once the header is whole
  std::unique_ptr<Cipher> cipher_;  // once the nonce is there, too
  uint64_t number_ = 0;
};

}  // namespace freehold::keep
