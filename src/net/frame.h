// Frames: messages with a length in front, on a byte stream.
//
//   bytes 0-3  length of the message, little-endian
//   bytes 4-5  number of file descriptors that come with it, little-endian
//   bytes 6-7  zero
//   then the message
//
// FrameDecoder is pure: bytes in, frames out. A length is believed only up to the limit, and memory grows with what
// arrived, not with what was announced.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace freehold::net {

struct FrameLimits {
  Bytes message{uint64_t{64} << 20};
  uint16_t descriptors = 16;
};

struct Frame {
  std::string bytes;
  uint16_t descriptors = 0;
};

constexpr size_t kFrameHeaderSize = 8;
using FrameHeader = std::array<char, kFrameHeaderSize>;
FrameHeader encode_frame_header(uint32_t length, uint16_t descriptors);

class FrameDecoder {
 public:
  explicit FrameDecoder(FrameLimits limits = {}) : limits_(limits) {}

  // Takes bytes from the front of `input` until a frame is complete, and returns it; none when all input is used up.
  // kCorrupt if this is no frame, or one beyond the limits: after that nothing can be decoded any more.
  Result<std::optional<Frame>> decode(std::string_view& input);

  // Between two frames: if the stream ends here, it ends cleanly.
  bool at_boundary() const { return header_size_ == 0; }

 private:
  Result<void> read_header();

  FrameLimits limits_;
  FrameHeader header_{};
  size_t header_size_ = 0;  // of the current frame, received so far
  uint32_t length_ = 0;     // announced; valid once the header is complete
  Frame frame_;
};

}  // namespace freehold::net
