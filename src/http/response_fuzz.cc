// Any bytes as an answer, as the clients read it: however it is split it is the same answer, or none.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "http/response_reader.h"

namespace {

using namespace freehold::http;

constexpr size_t kMostBody = 64;  // small, so that both ways to deal with more are tried

struct Outcome {
  bool failed = false;
  bool whole = false;
  std::optional<ClientResponse> response;
};

Outcome read(std::string_view bytes, Method asked, ResponseReader::Excess excess, size_t piece) {
  ResponseReader reader(asked, kMostBody, excess);
  Outcome out;
  while (!out.failed && !out.whole && !bytes.empty()) {
    const std::span<char> room = reader.room();
    if (room.empty()) std::abort();
    const size_t count = std::min({room.size(), bytes.size(), piece});
    std::memcpy(room.data(), bytes.data(), count);
    bytes.remove_prefix(count);
    const auto result = reader.received(count);
    out.failed = !result;
    out.whole = result && *result;
  }
  if (!out.failed && !out.whole) {
    const auto end = reader.received(0);
    out.failed = !end;
    out.whole = end && *end;
  }
  if (out.whole) out.response = reader.take();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto sum = static_cast<unsigned>(bytes.empty() ? 0 : static_cast<uint8_t>(bytes.back()));
  const Method asked = sum % 3 == 0 ? Method::kHead : Method::kGet;
  const auto excess = sum % 2 == 0 ? ResponseReader::Excess::kFails : ResponseReader::Excess::kIsDropped;
  const Outcome whole = read(bytes, asked, excess, size + 1);
  const Outcome split = read(bytes, asked, excess, sum % 13 + 1);
  if (whole.failed != split.failed || whole.whole != split.whole) std::abort();
  if (!whole.response) return 0;
  if (whole.response->status != split.response->status || whole.response->fields != split.response->fields ||
      whole.response->body != split.response->body || whole.response->body.size() > kMostBody) {
    std::abort();
  }
  return 0;
}
