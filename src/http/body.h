// Where a message's body ends (RFC 9112 section 6.3), and reading it accordingly.
//
//   BodyReader body(request_framing(head));
//   while (!body.complete()) { BodyStep step = body.next(received); ... }
#pragma once

#include <cstdint>
#include <string_view>

#include "http/chunked.h"
#include "http/head.h"

namespace freehold::http {

enum class BodyKind : uint8_t {
  kNone,
  kLength,  // `length` bytes, more than 0
  kChunked,
  kUntilClose,  // responses only: ends with the connection, which cannot be used again
  kTunnel,      // no HTTP follows: 101, or 2xx to CONNECT
};

struct BodyFraming {
  BodyKind kind = BodyKind::kNone;
  uint64_t length = 0;
};

BodyFraming request_framing(const RequestHead& head);
// `asked` is the method of the request that is answered. An interim response (1xx but 101) has no body, and another
// response follows.
BodyFraming response_framing(const ResponseHead& head, Method asked);

// The body of one message, whatever its framing. kTunnel is no body: a reader of it is complete at once.
class BodyReader {
 public:
  BodyReader() = default;
  explicit BodyReader(BodyFraming framing) : framing_(framing), left_(framing.length) {}

  // Steps as ChunkedDecoder does. With no byte given, kMore, or kComplete if there is nothing to come.
  BodyStep next(std::string_view bytes);
  bool complete() const;
  // The connection ended. Whether the body is whole then: only a body until the close may end so.
  bool complete_at_close() const { return complete() || framing_.kind == BodyKind::kUntilClose; }
  BodyKind kind() const { return framing_.kind; }

 private:
  BodyFraming framing_;
  uint64_t left_ = 0;
  ChunkedDecoder chunked_;
};

}  // namespace freehold::http
