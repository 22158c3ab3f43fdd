// What the fields of a head mean: framing, connection, host (RFC 9112 sections 3.2, 6 and 9; RFC 9110 section 7.6.1).
#include "base/text.h"
#include "http/head_parser.h"
#include "http/list.h"
#include "http/scan.h"

namespace freehold::http {
namespace {

constexpr int kMostConnectionOptions = 32;

enum Coding : uint8_t { kChunkedNamed = 1, kOtherNamed = 2, kChunkedNotLast = 4, kChunkedTwice = 8 };

Refusal parse_content_length(std::string_view value, MessageHead& head) {
  // 18 digits stay below 2^63 and are enough for anything.
  constexpr size_t kMostDigits = 18;
  if (!all(value, kDigitCharacter) || value.size() > kMostDigits)
    return bad_request("a Content-Length that is no number");
  uint64_t length = 0;
  for (char c : value) length = length * 10 + static_cast<uint64_t>(c - '0');
  head.content_length = length;
  return {};
}

}  // namespace

Refusal HeadParser::note(Header& header, MessageHead& head) {
  switch (header.id) {
    case HeaderId::kContentLength:
      if (head.has(header.id)) return bad_request("Content-Length is repeated");
      return parse_content_length(header.value(), head);
    case HeaderId::kHost:
      if (head.has(header.id)) return bad_request("Host is repeated");
      return {};
    case HeaderId::kTransferEncoding:
      header.hop_by_hop = true;
      return note_codings(header.value(), head);
    case HeaderId::kUpgrade:
      header.hop_by_hop = true;
      if (head.has(header.id)) return bad_request("Upgrade is repeated");
      return {};
    case HeaderId::kConnection:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kProxyAuthenticate:
    case HeaderId::kProxyAuthorization:
    case HeaderId::kTe:
      header.hop_by_hop = true;
      return {};
    default:
      return {};
  }
}

Refusal HeadParser::note_codings(std::string_view list, MessageHead& head) {
  List codings(list);
  while (auto coding = codings.next()) {
    if (!all(*coding, kTokenCharacter)) return bad_request("a transfer coding that is no token");
    if ((head.codings_ & kChunkedNamed) != 0) head.codings_ |= kChunkedNotLast;
    if (!equals_lower(*coding, "chunked")) {
      head.codings_ |= kOtherNamed;
    } else {
      head.codings_ |= (head.codings_ & kChunkedNamed) != 0 ? kChunkedTwice : kChunkedNamed;
    }
  }
  return {};
}

Refusal HeadParser::finish_framing(MessageHead& head) {
  if (!head.has(HeaderId::kTransferEncoding)) return {};
  if (head.content_length) return bad_request("Transfer-Encoding beside Content-Length");
  if (head.minor_version == 0) return bad_request("Transfer-Encoding in HTTP/1.0");
  if ((head.codings_ & kChunkedNamed) == 0 || (head.codings_ & (kChunkedNotLast | kChunkedTwice)) != 0) {
    return bad_request("Transfer-Encoding does not end in one chunked");
  }
  if ((head.codings_ & kOtherNamed) != 0) return {501, "a transfer coding other than chunked"};
  head.chunked = true;
  return {};
}

Refusal HeadParser::mark_named_by_connection(std::string_view option, MessageHead& head) {
  HeaderId id = header_id(option);
  if (id == HeaderId::kHost || id == HeaderId::kContentLength || id == HeaderId::kTransferEncoding) {
    return bad_request("Connection names a field of the message's framing");
  }
  if (id != HeaderId::kOther && !head.has(id)) return {};
  for (uint32_t i = 0; i < head.header_count_; ++i) {
    Header& header = head.headers_[i];
    if (header.id == id && (id != HeaderId::kOther || equals_ignoring_case(header.name(), option))) {
      header.hop_by_hop = true;
    }
  }
  return {};
}

Refusal HeadParser::finish_connection(MessageHead& head) {
  bool close = false, keep_alive = false, upgrade = false;
  int options = 0;
  if (head.has(HeaderId::kConnection)) {
    for (const Header& header : head.headers()) {
      if (header.id != HeaderId::kConnection) continue;
      List list(header.value());
      while (auto option = list.next()) {
        if (option->empty()) continue;
        if (!all(*option, kTokenCharacter)) return bad_request("a connection option that is no token");
        // Each option is looked for among all fields: without this, many of both would be work for nothing.
        if (++options > kMostConnectionOptions) return bad_request("too many connection options");
        if (equals_lower(*option, "close")) {
          close = true;
        } else if (equals_lower(*option, "keep-alive")) {
          keep_alive = true;
        } else if (equals_lower(*option, "upgrade")) {
          upgrade = true;
        } else if (Refusal refusal = mark_named_by_connection(*option, head)) {
          return refusal;
        }
      }
    }
  }
  head.keep_alive = !close && (head.minor_version == 1 || keep_alive);
  if (upgrade && head.minor_version == 1) head.upgrade = head.value(HeaderId::kUpgrade);
  return {};
}

Refusal HeadParser::finish_host(RequestHead& head) {
  const Header* host = head.find(HeaderId::kHost);
  if (host == nullptr) {
    if (head.minor_version == 1) return bad_request("no Host");
    return {};
  }
  auto authority = parse_authority(host->value());
  if (!authority) return bad_request("a Host that is no host and port");
  if (head.absolute_form || head.method_id == Method::kConnect) {
    // CONNECT has a port always, so that the default matters for absolute targets only: http:// or https://.
    uint16_t default_port = head.absolute_form && lower(head.target[4]) == 's' ? 443 : 80;
    if (!same_authority(*authority, head.authority, default_port)) return bad_request("Host differs from the target");
  }
  head.authority = *authority;
  return {};
}

Refusal HeadParser::finish(RequestHead& head) {
  if (Refusal refusal = finish_host(head)) return refusal;
  if (Refusal refusal = finish_framing(head)) return refusal;
  if (Refusal refusal = finish_connection(head)) return refusal;
  if (head.has(HeaderId::kExpect) && head.minor_version == 1) {
    for (const Header& header : head.headers()) {
      if (header.id != HeaderId::kExpect) continue;
      if (!equals_lower(header.value(), "100-continue")) return {417, "an expectation other than 100-continue"};
    }
    head.expect_continue = true;
  }
  return {};
}

Refusal HeadParser::finish(ResponseHead& head) {
  if (Refusal refusal = finish_framing(head)) return refusal;
  return finish_connection(head);
}

}  // namespace freehold::http
