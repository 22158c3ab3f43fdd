#include "keep/age.h"

#include <fmt/core.h>

namespace freehold::keep {
namespace {

constexpr size_t kPayloadNonceBytes = 16;
constexpr size_t kSealedChunk = kChunkBytes + kTagBytes;

// The number in eleven bytes, big-endian, and whether it is the last.
Cipher::Nonce nonce_of(uint64_t number, bool last) {
  Cipher::Nonce nonce{};
  for (size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<uint8_t>(number >> 8 * i);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

Error ends_too_early() {
  return Error(ErrorCode::kCorrupt, "it ends too early: it was not written to its end, or cut");
}

}  // namespace

Result<AgeWriter> AgeWriter::begin(const Key& key, os::Random& random, int work_factor, Sink sink) {
  std::string file_key = random.bytes(kFileKeyBytes);
  FH_ASSIGN(std::string header, write_age_header(key, file_key, work_factor, random));
  std::string nonce = random.bytes(kPayloadNonceBytes);
  FH_TRY(sink(header + nonce));
  return AgeWriter(std::move(file_key), nonce, std::move(sink));
}

Result<void> AgeWriter::flush(bool last) {
  std::string sealed = cipher_.seal(nonce_of(number_++, last), held_);
  held_.clear();
  return sink_(sealed);
}

Result<void> AgeWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    // Only when more is known to come: the last chunk must not be empty.
    if (held_.size() == kChunkBytes) FH_TRY(flush(false));
    std::string_view part = bytes.substr(0, kChunkBytes - held_.size());
    held_ += part;
    bytes.remove_prefix(part.size());
  }
  return {};
}

Result<void> AgeWriter::finish() { return flush(true); }

AgeReader::Opener AgeReader::opener(const Key& key) {
  return [key](std::string_view header) { return open_age_header(header, key); };
}

Result<void> AgeReader::begin_payload() {
  if (file_key_.empty()) {
    FH_ASSIGN(size_t end, end_of_age_header(held_));
    if (end == 0) return {};
    FH_ASSIGN(file_key_, opener_(std::string_view(held_).substr(0, end)));
    held_.erase(0, end);
  }
  if (held_.size() < kPayloadNonceBytes) return {};
  cipher_ =
      std::make_unique<Cipher>(derive_key(file_key_, std::string_view(held_).substr(0, kPayloadNonceBytes), "payload"));
  held_.erase(0, kPayloadNonceBytes);
  return {};
}

Result<void> AgeReader::open_chunk(std::string_view sealed, bool last) {
  auto bytes = cipher_->open(nonce_of(number_, last), sealed);
  if (bytes && !(last && bytes->empty() && number_ > 0)) {
    ++number_;
    return sink_(*bytes);
  }
  if (last && cipher_->open(nonce_of(number_, false), sealed)) return ends_too_early();
  return Error(ErrorCode::kCorrupt, fmt::format("it was changed, or cut, in or after the {} bytes from {} on",
                                                sealed.size(), number_ * kChunkBytes));
}

Result<void> AgeReader::write(std::string_view bytes) {
  held_ += bytes;
  if (!cipher_) FH_TRY(begin_payload());
  if (!cipher_) return {};
  size_t done = 0;
  // One byte more than a chunk: so it is not the last.
  for (; held_.size() - done > kSealedChunk; done += kSealedChunk)
    FH_TRY(open_chunk(std::string_view(held_).substr(done, kSealedChunk), false));
  held_.erase(0, done);
  return {};
}

Result<void> AgeReader::finish() {
  if (!cipher_)
    return held_.empty() && file_key_.empty() ? Error(ErrorCode::kCorrupt, "it is empty") : ends_too_early();
  return open_chunk(held_, true);
}

}  // namespace freehold::keep
