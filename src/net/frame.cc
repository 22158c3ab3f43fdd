#include "net/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace freehold::net {
namespace {

uint32_t byte_at(const FrameHeader& header, size_t i) { return static_cast<unsigned char>(header[i]); }

}  // namespace

FrameHeader encode_frame_header(uint32_t length, uint16_t descriptors) {
  FrameHeader header{};
  for (size_t i = 0; i < 4; ++i) header[i] = static_cast<char>(length >> (8 * i) & 0xff);
  for (size_t i = 0; i < 2; ++i) header[4 + i] = static_cast<char>(descriptors >> (8 * i) & 0xff);
  return header;
}

Result<void> FrameDecoder::read_header() {
  length_ = byte_at(header_, 0) | byte_at(header_, 1) << 8 | byte_at(header_, 2) << 16 | byte_at(header_, 3) << 24;
  frame_.descriptors = static_cast<uint16_t>(byte_at(header_, 4) | byte_at(header_, 5) << 8);
  if (byte_at(header_, 6) != 0 || byte_at(header_, 7) != 0) {
    return Error(ErrorCode::kCorrupt, "what the other side sent is no message of this protocol");
  }
  if (length_ > limits_.message.count) {
    return Error(ErrorCode::kCorrupt, fmt::format("the other side announced a message of {} bytes, {} are allowed",
                                                  length_, limits_.message.count));
  }
  if (frame_.descriptors > limits_.descriptors) {
    return Error(ErrorCode::kCorrupt, fmt::format("the other side announced {} descriptors, {} are allowed",
                                                  frame_.descriptors, limits_.descriptors));
  }
  return {};
}

Result<std::optional<Frame>> FrameDecoder::decode(std::string_view& input) {
  if (header_size_ < kFrameHeaderSize) {
    const size_t size = std::min(input.size(), kFrameHeaderSize - header_size_);
    std::copy_n(input.begin(), size, header_.begin() + static_cast<ptrdiff_t>(header_size_));
    header_size_ += size;
    input.remove_prefix(size);
    if (header_size_ < kFrameHeaderSize) return std::optional<Frame>();
    FH_TRY(read_header());
  }
  const size_t size = std::min(input.size(), length_ - frame_.bytes.size());
  frame_.bytes.append(input.substr(0, size));
  input.remove_prefix(size);
  if (frame_.bytes.size() < length_) return std::optional<Frame>();
  header_size_ = 0;
  return std::optional<Frame>(std::exchange(frame_, {}));
}

}  // namespace freehold::net
