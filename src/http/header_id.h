// HeaderId: the field names that Freehold acts upon, as numbers, so that nothing after the parser compares strings.
#pragma once

#include <cstdint>
#include <string_view>

namespace freehold::http {

enum class HeaderId : uint8_t {
  kOther,
  // Framing and the connection.
  kHost,
  kContentLength,
  kTransferEncoding,
  kConnection,
  kKeepAlive,
  kProxyConnection,
  kProxyAuthenticate,
  kProxyAuthorization,
  kTe,
  kTrailer,
  kUpgrade,
  kExpect,
  // Forwarding.
  kForwarded,
  kVia,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedProto,
  kXRealIp,
  kXRequestId,
  kTraceparent,
  // Content, conditions, caching.
  kAccept,
  kAcceptEncoding,
  kAcceptRanges,
  kAge,
  kAuthorization,
  kCacheControl,
  kContentEncoding,
  kContentRange,
  kContentType,
  kCookie,
  kDate,
  kEtag,
  kExpires,
  kIfMatch,
  kIfModifiedSince,
  kIfNoneMatch,
  kIfRange,
  kIfUnmodifiedSince,
  kLastModified,
  kLocation,
  kOrigin,
  kRange,
  kReferer,
  kRetryAfter,
  kServer,
  kSetCookie,
  kUserAgent,
  kVary,
  // WebSocket.
  kSecWebsocketAccept,
  kSecWebsocketExtensions,
  kSecWebsocketKey,
  kSecWebsocketProtocol,
  kSecWebsocketVersion,
  kCount,
};

// `name` must be a token (RFC 9110); its case does not matter. kOther for what is not listed.
HeaderId header_id(std::string_view name);
// As it is usually written, e.g. "Content-Length"; empty for kOther.
std::string_view header_name(HeaderId id);

}  // namespace freehold::http
