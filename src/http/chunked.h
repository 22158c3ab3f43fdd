// The chunked transfer coding (RFC 9112 section 7.1): decoding in place and byte by byte, and writing the framing.
//
//   ChunkedDecoder decoder;
//   while (!bytes.empty()) {
//     BodyStep step = decoder.next(bytes);
//     bytes.remove_prefix(step.consumed);
//     if (step.state == BodyState::kData) use(step.data);          // a view into `bytes`
//     if (step.state == BodyState::kComplete) break;               // what is left belongs to the next message
//     if (step.state == BodyState::kRefused) return refuse(step.reason);
//   }
//
// Framing may be cut anywhere: the decoder keeps what it needs, the caller keeps nothing. Extensions and trailer fields
// are checked and dropped; what is forwarded is framed anew. Refused: sizes without digits, with signs, spaces or more
// than 15 digits, bare CR or LF, malformed extensions (and white space around them, which RFC 9112 calls bad),
// malformed trailer fields, and more than 4 KiB of extensions in all or 8 KiB of trailer.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace freehold::http {

enum class BodyState : uint8_t {
  kMore,      // all was consumed, more is needed
  kData,      // `data` is a piece of the body
  kComplete,  // the message ends here
  kRefused,   // malformed: no later byte of the connection can be trusted
};

struct BodyStep {
  BodyState state = BodyState::kMore;
  size_t consumed = 0;  // bytes of the input that are done with, those of `data` among them
  std::string_view data;
  std::string_view reason;  // kRefused: why; static text
};

class ChunkedDecoder {
 public:
  static constexpr uint32_t kMostExtensionBytes = 4096;
  static constexpr uint32_t kMostTrailerBytes = 8192;

  BodyStep next(std::string_view bytes);
  bool complete() const { return state_ == State::kEnd; }

 private:
  enum class State : uint8_t {
    kSizeFirst,  // at least one digit must come
    kSize,
    kExtensionNameFirst,
    kExtensionName,
    kExtensionValueFirst,
    kExtensionToken,
    kExtensionQuoted,
    kExtensionEscape,
    kExtensionQuotedEnd,
    kSizeLineFeed,
    kData,
    kDataReturn,
    kDataLineFeed,
    kTrailerFirst,  // at the start of a trailer line
    kTrailerName,
    kTrailerValue,
    kTrailerLineFeed,
    kFinalLineFeed,
    kEnd,
    kFailed,
  };
  // One byte of framing; an empty view, or why it is refused.
  std::string_view advance(char c);
  std::string_view in_size(char c);
  std::string_view in_extension(char c);
  std::string_view in_trailer(char c);

  State state_ = State::kSizeFirst;
  uint8_t digits_ = 0;
  uint16_t extension_bytes_ = 0;
  uint16_t trailer_bytes_ = 0;
  uint64_t left_ = 0;  // of the chunk's data
};

// "1f4\r\n" before `size` bytes of data, which must not be 0; after the data follows kChunkEnd.
class ChunkHeader {
 public:
  explicit ChunkHeader(uint64_t size);
  std::string_view text() const { return {text_.data() + start_, text_.size() - start_}; }

 private:
  std::array<char, 18> text_{};
  size_t start_;
};
constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace freehold::http
