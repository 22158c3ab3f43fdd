// Inside of the head parser, shared by its sources only: start lines, field lines, and what the fields mean together.
#pragma once

#include "http/head.h"

namespace freehold::http {

// Why a message is refused; status 0 means that it is not.
struct Refusal {
  uint16_t status = 0;
  std::string_view reason;
  explicit operator bool() const { return status != 0; }
};

constexpr Refusal bad_request(std::string_view reason) { return {400, reason}; }

// Each parses one line in [p, end), where a line feed is certain to stand, and moves p past it.
Refusal parse_request_line(const char*& p, const char* end, uint32_t most_target, RequestHead& head);
Refusal parse_status_line(const char*& p, const char* end, ResponseHead& head);

class HeadParser {
 public:
  HeadParser(std::string_view bytes, const HeadLimits& limits) : bytes_(bytes), limits_(limits) {}

  template <class Head>
  HeadResult run(Head& head);

 private:
  Refusal start_line(const char*& p, const char* end, RequestHead& head);
  Refusal start_line(const char*& p, const char* end, ResponseHead& head);
  Refusal field_line(const char*& p, const char* end, MessageHead& head) const;
  // What one field means by itself.
  static Refusal note(Header& header, MessageHead& head);
  static Refusal note_codings(std::string_view list, MessageHead& head);
  // What the fields mean together.
  static Refusal finish(RequestHead& head);
  static Refusal finish(ResponseHead& head);
  static Refusal finish_framing(MessageHead& head);
  static Refusal finish_connection(MessageHead& head);
  static Refusal finish_host(RequestHead& head);
  static Refusal mark_named_by_connection(std::string_view option, MessageHead& head);

  std::string_view bytes_;
  const HeadLimits& limits_;
};

}  // namespace freehold::http
