// The heads that the gateway sends on: what belongs to one connection only is left out, what says who asked is set
// anew.
//
// Of a request, everything that begins with X-Forwarded-, Forwarded, X-Real-IP, X-Request-Id and Proxy from outside are
// dropped, also in spellings that a CGI environment could not tell from them; the gateway's own are added (RFC 7239).
// Host stays. Trailer is dropped both ways, as the trailers themselves are. Pure functions over parsed heads; nothing
// is allocated.
#pragma once

#include <string_view>

#include "gateway/text_writer.h"
#include "http/body.h"
#include "http/head.h"

namespace freehold::gateway {

struct RequestForwarding {
  std::string_view client;    // numeric address
  bool client_is_v6 = false;  // Forwarded wants it in brackets and quotes then
  std::string_view request_id;
  std::string_view host_fallback;  // Host for a client that sent none (HTTP/1.0)
  bool chunked = false;            // the body will be framed so
};
void write_request_head(const http::RequestHead& head, const RequestForwarding& forwarding, TextWriter& out);

struct ResponseForwarding {
  std::string_view date_line;   // "Date: ...\r\n", used if the upstream sent none
  bool chunked = false;         // the body will be framed so
  bool close = false;           // the connection ends after this response
  bool keep_alive_1_0 = false;  // an HTTP/1.0 client asked to keep the connection, and will
};
void write_response_head(const http::ResponseHead& head, const ResponseForwarding& forwarding, TextWriter& out);

// "Connection: Upgrade" and the protocol, for either direction.
void write_upgrade(std::string_view protocol, TextWriter& out);

}  // namespace freehold::gateway
