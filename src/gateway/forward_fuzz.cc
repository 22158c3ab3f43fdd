// Any bytes as an upstream's answer, sent on as an exchange does it: what the client gets is one valid answer with the
// same status and body, or nothing.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "gateway/body_block.h"
#include "gateway/forward_head.h"
#include "http/response_reader.h"

namespace {

using namespace freehold;
using namespace freehold::gateway;

constexpr size_t kMostBody = size_t{1} << 20;

void require(bool holds) {
  if (!holds) std::abort();
}

// The body as it was meant; nothing if its framing is malformed.
std::optional<std::string> body_of(const http::ResponseHead& head, std::string_view bytes) {
  http::BodyReader reader(http::response_framing(head, http::Method::kGet));
  std::string out;
  while (!bytes.empty() && !reader.complete()) {
    const http::BodyStep step = reader.next(bytes);
    if (step.state == http::BodyState::kRefused) return std::nullopt;
    out += step.data;
    bytes.remove_prefix(step.consumed);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto buffer = std::make_unique<Buffer>();
  size = std::min(size, kBufferBytes);
  if (size != 0) std::memcpy(buffer->bytes + Buffer::kBegin, data, size);
  const std::string received(buffer->bytes + Buffer::kBegin, size);
  http::ResponseHead& head = buffer->response;
  head.clear();
  const http::HeadResult parsed = http::parse_response_head({buffer->bytes + Buffer::kBegin, size}, {}, head);
  if (parsed.state != http::HeadState::kComplete || head.status < 200) return 0;
  const http::BodyFraming framing = http::response_framing(head, http::Method::kGet);
  const bool open_ended = framing.kind == http::BodyKind::kChunked || framing.kind == http::BodyKind::kUntilClose;
  const OutputFraming output = open_ended ? OutputFraming::kChunked : OutputFraming::kPlain;
  const uint16_t status = head.status;
  const std::optional<std::string> body = body_of(head, std::string_view(received).substr(parsed.consumed));

  static char scratch[kHeadroom + kBufferBytes];
  TextWriter text(scratch);
  write_response_head(head, {.date_line = "Date: x\r\n", .chunked = open_ended}, text);
  http::BodyReader reader(framing);
  const BodyBlock block = reframe(reader, *buffer, Buffer::kBegin + parsed.consumed, Buffer::kBegin + size, output);
  require((block.state == BlockState::kRefused) == !body);
  if (!body || text.full() || text.text().size() > block.begin) return 0;
  std::string sent(text.text());
  sent.append(buffer->bytes + block.begin, block.end - block.begin);
  const bool whole = block.state == BlockState::kComplete || framing.kind == http::BodyKind::kUntilClose;
  if (framing.kind == http::BodyKind::kUntilClose) sent += end_of_body(output);

  http::ResponseReader client(http::Method::kGet, kMostBody, http::ResponseReader::Excess::kFails);
  Result<bool> done = false;
  for (std::string_view rest = sent; !rest.empty() && done && !*done;) {
    const std::span<char> room = client.room();
    const size_t count = std::min(room.size(), rest.size());
    // A head may grow beyond what this client takes.
    if (count == 0) return 0;
    std::memcpy(room.data(), rest.data(), count);
    rest.remove_prefix(count);
    done = client.received(count);
    if (!done && sent.size() > kBufferBytes) return 0;
    require(done.ok());
    require(!*done || rest.empty());
  }
  require(done.ok() && *done == whole);
  if (!whole) return 0;
  const http::ClientResponse response = client.take();
  require(response.status == status && response.body == *body);
  return 0;
}
