// What a client asks and gets. Shared by Fetch (on a Loop) and BlockingClient.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/head.h"
#include "http/message.h"

namespace freehold::http {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";        // origin form, already encoded
  std::string host = "localhost";  // value of Host
  Fields fields{};                 // without framing
  std::string body{};              // with Content-Length, if not empty or the method is POST, PUT or PATCH
};

struct ClientResponse {
  uint16_t status = 0;
  Fields fields;  // names as received
  std::string body;

  bool success() const { return status >= 200 && status < 300; }
  std::string_view field(std::string_view name) const;  // of the first, or empty
};

// How the body of a request is framed.
struct RequestBody {
  enum class Kind : uint8_t { kNone, kLength, kChunked };
  Kind kind = Kind::kNone;
  uint64_t length = 0;
};

// The whole head with its empty line, "Connection: close" in it. kInvalid if method, target or host would not be what a
// strict server accepts.
Result<std::string> request_head(const ClientRequest& request, RequestBody body);
// Status and fields of a head, copied; no body.
ClientResponse response_from(const ResponseHead& head);

}  // namespace freehold::http
