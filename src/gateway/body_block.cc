#include "gateway/body_block.h"

#include <cstring>

namespace freehold::gateway {
namespace {

// Puts the frame around the data of `block`. What follows the body must stay as it is, so if the old framing behind
// the data was shorter than the new one (it came in pieces), the data moves down into the free space in front of it.
void frame(Buffer& buffer, BodyBlock& block, size_t received_end) {
  bool last = block.state == BlockState::kComplete;
  char suffix[8];
  size_t suffix_length = 0;
  auto add = [&suffix, &suffix_length](std::string_view text) {
    std::memcpy(suffix + suffix_length, text.data(), text.size());
    suffix_length += text.size();
  };
  size_t length = block.end - block.begin;
  if (length > 0) add(http::kChunkEnd);
  if (last) add(http::kLastChunk);
  size_t limit = block.next < received_end ? block.next : sizeof(buffer.bytes);
  if (block.end + suffix_length > limit) {
    size_t by = block.end + suffix_length - limit;
    std::memmove(buffer.bytes + block.begin - by, buffer.bytes + block.begin, length);
    block.begin -= by;
    block.end -= by;
  }
  std::memcpy(buffer.bytes + block.end, suffix, suffix_length);
  block.end += suffix_length;
  if (length == 0) return;
  http::ChunkHeader header(length);
  block.begin -= header.text().size();
  std::memcpy(buffer.bytes + block.begin, header.text().data(), header.text().size());
}

}  // namespace

BodyBlock reframe(http::BodyReader& reader, Buffer& buffer, size_t begin, size_t end, OutputFraming output) {
  BodyBlock block{.begin = begin, .end = begin};
  size_t at = begin;
  bool first = true;
  while (at < end && !reader.complete()) {
    http::BodyStep step = reader.next({buffer.bytes + at, end - at});
    if (step.state == http::BodyState::kRefused) {
      block.state = BlockState::kRefused;
      return block;
    }
    if (step.state == http::BodyState::kData) {
      auto from = static_cast<size_t>(step.data.data() - buffer.bytes);
      if (first) {
        block.begin = block.end = from;
        first = false;
      }
      // Chunks of the old framing close up to each other.
      if (block.end != from) std::memmove(buffer.bytes + block.end, step.data.data(), step.data.size());
      block.end += step.data.size();
      block.data += step.data.size();
    }
    at += step.consumed;
  }
  block.next = at;
  if (reader.complete()) block.state = BlockState::kComplete;
  if (output == OutputFraming::kChunked) frame(buffer, block, end);
  return block;
}

std::string_view end_of_body(OutputFraming output) {
  return output == OutputFraming::kChunked ? http::kLastChunk : std::string_view();
}

}  // namespace freehold::gateway
