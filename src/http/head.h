// The heads of HTTP/1.x messages (RFC 9110, RFC 9112), parsed strictly and in place: one meaning per message, or none.
//
//   RequestHead head;                                          // reused for every request of a connection
//   for (;;) {
//     HeadResult result = parse_request_head(buffer, limits, head);
//     if (result.state == HeadState::kIncomplete) { /* receive more behind what is there */ continue; }
//     if (result.state == HeadState::kRefused) { /* answer result.status, close */ }
//     /* use head; the body starts at buffer[result.consumed] */
//     head.clear();                                            // before the next message
//   }
//
// Resuming: while it says kIncomplete, call again with the same head and the same bytes followed by more; the buffer
// may have moved. Finished lines are not looked at again, so many small pieces cost no more than one large. However the
// bytes are split, the result is the same: a line is judged once it is complete, and lines in their order.
//
// Refused: a bare CR or LF, folding, spaces before a colon, control characters, NUL, a name that is no token,
// Content-Length that is repeated, a list, or beside Transfer-Encoding, any transfer coding but a single "chunked" (501
// where the request is well formed), Transfer-Encoding in HTTP/1.0, Host missing in HTTP/1.1, repeated, empty or unlike
// an absolute target's authority, a Connection that names framing fields, and what exceeds HeadLimits (414, 431).
//
// Ownership: views point into the bytes of the last call (or at static text); they hold as long as those stay in place.
// Nothing is allocated. A head is 3 KiB and belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/authority.h"
#include "http/header_id.h"

namespace freehold::http {

constexpr size_t kMostHeaders = 128;

struct HeadLimits {
  uint32_t bytes = 32 * 1024;  // of the whole head, with its final empty line; at most 64 KiB count
  uint32_t target = 8 * 1024;
  uint32_t headers = 100;  // at most kMostHeaders count
};

enum class HeadState : uint8_t { kIncomplete, kComplete, kRefused };

struct HeadResult {
  HeadState state = HeadState::kIncomplete;
  uint32_t consumed = 0;    // kComplete: bytes of the head; what follows is body or the next message
  uint16_t status = 0;      // kRefused: what a server answers (a gateway answers 502 to a refused response)
  std::string_view reason;  // kRefused: why, for logs; static text
};

// One field line. 24 bytes and left uninitialised in the array, so that a head costs what its message has.
class Header {
 public:
  std::string_view name() const { return {line_, name_length_}; }
  std::string_view value() const { return {line_ + value_offset_, value_length_}; }  // without spaces around it
  std::string_view line() const { return {line_, line_length_}; }                    // as received, with its CRLF

  HeaderId id;
  // Belongs to this connection only and must not be forwarded: listed in RFC 9110 section 7.6.1, or named by
  // Connection.
  bool hop_by_hop;

 private:
  friend struct MessageHead;
  friend class HeadParser;
  uint16_t name_length_;
  uint16_t value_offset_;
  uint16_t value_length_;
  uint16_t line_length_;
  const char* line_;
};

enum class Method : uint8_t { kOther, kGet, kHead, kPost, kPut, kDelete, kConnect, kOptions, kTrace, kPatch };

struct MessageHead {
  uint8_t minor_version = 1;               // HTTP/1.0 or HTTP/1.1
  bool chunked = false;                    // Transfer-Encoding: chunked
  bool keep_alive = true;                  // by version and Connection; the framing of the body may still end it
  std::optional<uint64_t> content_length;  // below 2^63
  std::string_view upgrade;                // value of Upgrade, if Connection names it and the version is 1.1

  std::span<const Header> headers() const { return {headers_.data(), header_count_}; }
  std::string_view header_lines() const;  // all field lines as received, without the empty line
  bool has(HeaderId id) const { return (present_ >> static_cast<unsigned>(id) & 1U) != 0; }
  const Header* find(HeaderId id) const;            // the first, or null
  const Header* find(std::string_view name) const;  // by name in any case
  std::string_view value(HeaderId id) const;        // of the first, or empty
  void clear();                                     // to its first state, forgetting any progress

 private:
  friend class HeadParser;
  static_assert(static_cast<size_t>(HeaderId::kCount) <= 64);
  uint64_t present_ = 0;
  uint32_t header_count_ = 0;
  uint32_t line_start_ = 0;  // offset of the first line that is not finished
  uint32_t scanned_ = 0;     // bytes known to hold no further end of a line
  uint8_t codings_ = 0;      // what Transfer-Encoding has named so far
  bool started_ = false;     // the start line is done
  bool finished_ = false;    // the next call begins a new message
  const char* bytes_ = nullptr;
  std::array<Header, kMostHeaders> headers_;
};

struct RequestHead : MessageHead {
  Method method_id = Method::kOther;
  bool expect_continue = false;  // "Expect: 100-continue" in HTTP/1.1
  bool absolute_form = false;
  std::string_view method;
  std::string_view target;  // as received
  std::string_view path;    // from its slash, still encoded; "/" if an absolute target has none; "*" for OPTIONS *
  std::string_view query;   // with its question mark, or empty: path + query is what an origin server is asked
  Authority authority;      // from Host, else from the target; an empty host in HTTP/1.0 without either

  void clear();
};

struct ResponseHead : MessageHead {
  uint16_t status = 0;
  std::string_view reason;

  void clear();
};

// Servers must ignore one empty line before a request (RFC 9112 section 2.2); a second one is refused.
HeadResult parse_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head);
HeadResult parse_response_head(std::string_view bytes, const HeadLimits& limits, ResponseHead& head);

Method method_id(std::string_view method);

}  // namespace freehold::http
