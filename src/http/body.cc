#include "http/body.h"

#include <algorithm>

namespace freehold::http {
namespace {

BodyFraming with_length(uint64_t length) { return {length == 0 ? BodyKind::kNone : BodyKind::kLength, length}; }

}  // namespace

BodyFraming request_framing(const RequestHead& head) {
  if (head.chunked) return {BodyKind::kChunked, 0};
  return with_length(head.content_length.value_or(0));
}

BodyFraming response_framing(const ResponseHead& head, Method asked) {
  // The order is that of the RFC: what cannot have a body has none, whatever its fields say.
  if (head.status == 101) return {BodyKind::kTunnel, 0};
  if (asked == Method::kHead || head.status < 200 || head.status == 204 || head.status == 304) return {};
  if (asked == Method::kConnect && head.status < 300) return {BodyKind::kTunnel, 0};
  if (head.chunked) return {BodyKind::kChunked, 0};
  if (head.content_length) return with_length(*head.content_length);
  return {BodyKind::kUntilClose, 0};
}

BodyStep BodyReader::next(std::string_view bytes) {
  switch (framing_.kind) {
    case BodyKind::kChunked:
      return chunked_.next(bytes);
    case BodyKind::kUntilClose:
      if (bytes.empty()) return {};
      return {BodyState::kData, bytes.size(), bytes, {}};
    case BodyKind::kLength: {
      if (left_ == 0) break;
      if (bytes.empty()) return {};
      std::string_view data = bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, bytes.size())));
      left_ -= data.size();
      return {BodyState::kData, data.size(), data, {}};
    }
    default:
      break;
  }
  return {BodyState::kComplete, 0, {}, {}};
}

bool BodyReader::complete() const {
  switch (framing_.kind) {
    case BodyKind::kChunked:
      return chunked_.complete();
    case BodyKind::kUntilClose:
      return false;
    case BodyKind::kLength:
      return left_ == 0;
    default:
      return true;
  }
}

}  // namespace freehold::http
