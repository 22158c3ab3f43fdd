// A piece of a body in a buffer: taken out of its framing in place, and put into a new one around it.
#pragma once

#include "gateway/buffer.h"
#include "http/body.h"

namespace freehold::gateway {

enum class BlockState : uint8_t { kMore, kComplete, kRefused };

struct BodyBlock {
  BlockState state = BlockState::kMore;
  size_t begin = 0;  // of the bytes to send, in the buffer
  size_t end = 0;
  size_t next = 0;    // where what follows the body begins: bytes of the next message
  uint64_t data = 0;  // bytes of body among them
};

enum class OutputFraming : uint8_t { kPlain, kChunked };

// Reads the received bytes [begin, end) of `buffer` and frames them again where they lie. In front of `begin` there
// must be bytes that may be overwritten, at least 32 of them.
BodyBlock reframe(http::BodyReader& reader, Buffer& buffer, size_t begin, size_t end, OutputFraming output);

// The upstream ended a body that has no other end: what closes it in the new framing.
std::string_view end_of_body(OutputFraming output);

}  // namespace freehold::gateway
