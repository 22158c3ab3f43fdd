// Any bytes, in two pieces cut anywhere: the frames must be the same as of the whole, and encode to what was read.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "net/frame.h"

namespace {

using freehold::net::Frame;
using freehold::net::FrameDecoder;

// False if the decoder refused.
bool decode_all(FrameDecoder& decoder, std::string_view input, std::vector<Frame>& frames) {
  for (;;) {
    auto frame = decoder.decode(input);
    if (!frame) return false;
    if (!*frame) return true;
    frames.push_back(std::move(**frame));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t cut = data[0] % size;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const freehold::net::FrameLimits limits{freehold::Bytes{4096}, 16};
  FrameDecoder whole(limits);
  FrameDecoder pieces(limits);
  std::vector<Frame> expected;
  std::vector<Frame> found;
  const bool accepted = decode_all(whole, input, expected);
  const bool accepted_in_pieces =
      decode_all(pieces, input.substr(0, cut), found) && decode_all(pieces, input.substr(cut), found);
  if (accepted != accepted_in_pieces || expected.size() != found.size()) std::abort();
  std::string encoded;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].bytes != found[i].bytes || expected[i].descriptors != found[i].descriptors) std::abort();
    const auto header =
        freehold::net::encode_frame_header(static_cast<uint32_t>(expected[i].bytes.size()), expected[i].descriptors);
    encoded.append(header.data(), header.size()).append(expected[i].bytes);
  }
  if (!input.starts_with(encoded)) std::abort();
  if (accepted && whole.at_boundary() != (encoded.size() == input.size())) std::abort();
  return 0;
}
