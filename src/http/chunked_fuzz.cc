// Any bytes as a chunked body: byte by byte it means the same as at once, and the data, framed anew, comes back.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/chunked.h"

namespace {

using namespace freehold::http;

struct Decoded {
  BodyState state = BodyState::kMore;
  std::string data;
  size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, size_t piece) {
  ChunkedDecoder decoder;
  Decoded out;
  while (out.consumed < bytes.size()) {
    BodyStep step = decoder.next(bytes.substr(out.consumed, piece));
    out.data += step.data;
    out.consumed += step.consumed;
    out.state = step.state;
    if (step.state == BodyState::kComplete || step.state == BodyState::kRefused) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Decoded whole = decode(bytes, size + 1);
  if (decode(bytes, 1) != whole || decode(bytes, 7) != whole) std::abort();
  if (whole.state != BodyState::kComplete) return 0;
  std::string framed;
  if (!whole.data.empty()) {
    framed = std::string(ChunkHeader(whole.data.size()).text()) + whole.data + std::string(kChunkEnd);
  }
  framed += kLastChunk;
  Decoded again = decode(framed, framed.size());
  if (again.state != BodyState::kComplete || again.data != whole.data || again.consumed != framed.size()) std::abort();
  return 0;
}
