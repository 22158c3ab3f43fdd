// Request lines and status lines (RFC 9112 sections 3 and 4).
#include <cstring>

#include "http/head_parser.h"
#include "http/scan.h"

namespace freehold::http {
namespace {

constexpr size_t kMostMethod = 32;

bool begins_with_lower(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() && equals_lower(text.substr(0, lower_case.size()), lower_case);
}

// "HTTP/1.1", "HTTP/1.0": 0 and moves past it. A well-formed version of another kind is 505.
Refusal parse_version(const char*& p, const char* end, uint8_t& minor) {
  if (end - p < 8 || std::memcmp(p, "HTTP/", 5) != 0 || !is(p[5], kDigitCharacter) || p[6] != '.' ||
      !is(p[7], kDigitCharacter)) {
    return bad_request("no HTTP version");
  }
  if (p[5] != '1' || p[7] > '1') return {505, "a version other than HTTP/1.0 and HTTP/1.1"};
  minor = static_cast<uint8_t>(p[7] - '0');
  p += 8;
  return {};
}

void split_query(std::string_view path_and_query, RequestHead& head) {
  const void* mark = std::memchr(path_and_query.data(), '?', path_and_query.size());
  size_t length = mark == nullptr ? path_and_query.size()
                                  : static_cast<size_t>(static_cast<const char*>(mark) - path_and_query.data());
  head.path = path_and_query.substr(0, length);
  head.query = path_and_query.substr(length);
}

Refusal parse_absolute_form(RequestHead& head) {
  std::string_view rest = head.target;
  size_t scheme = begins_with_lower(rest, "http://") ? 7 : begins_with_lower(rest, "https://") ? 8 : 0;
  if (scheme == 0) return bad_request("a target of no known form");
  rest.remove_prefix(scheme);
  size_t end = std::min(rest.find_first_of("/?"), rest.size());
  auto authority = parse_authority(rest.substr(0, end));
  if (!authority) return bad_request("an absolute target without a valid authority");
  head.absolute_form = true;
  head.authority = *authority;
  split_query(rest.substr(end), head);
  if (head.path.empty()) head.path = "/";
  return {};
}

// The four forms of RFC 9112 section 3.2.
Refusal parse_target(RequestHead& head) {
  std::string_view target = head.target;
  if (head.method_id == Method::kConnect) {
    auto authority = parse_authority(target);
    if (!authority || authority->port == 0) return bad_request("CONNECT without host and port");
    head.authority = *authority;
    return {};
  }
  if (target.front() == '/') {
    split_query(target, head);
    return {};
  }
  if (target == "*") {
    if (head.method_id != Method::kOptions) return bad_request("the target * with a method other than OPTIONS");
    head.path = target;
    return {};
  }
  return parse_absolute_form(head);
}

Refusal end_of_line(const char*& p, const char* end) {
  if (*p == '\n') return bad_request("a line feed alone");
  if (*p != '\r' || end - p < 2 || p[1] != '\n') return bad_request("bytes behind the start line, or no end of line");
  p += 2;
  return {};
}

}  // namespace

Refusal parse_request_line(const char*& p, const char* end, uint32_t most_target, RequestHead& head) {
  const char* const method_end = skip(p, end, kTokenCharacter);
  if (method_end == p || *method_end != ' ') return bad_request("no method, or no space behind it");
  head.method = {p, static_cast<size_t>(method_end - p)};
  if (head.method.size() > kMostMethod) return {501, "a method that nothing implements"};
  head.method_id = method_id(head.method);

  p = method_end + 1;
  const char* const target_end = skip_target(p, end);
  head.target = {p, static_cast<size_t>(target_end - p)};
  if (head.target.size() > most_target) return {414, "the target is too long"};
  if (target_end == p || *target_end != ' ') return bad_request("a character that no target may hold, or no version");
  p = target_end + 1;
  if (Refusal refusal = parse_version(p, end, head.minor_version)) return refusal;
  if (Refusal refusal = end_of_line(p, end)) return refusal;
  return parse_target(head);
}

Refusal parse_status_line(const char*& p, const char* end, ResponseHead& head) {
  if (Refusal refusal = parse_version(p, end, head.minor_version)) return refusal;
  if (end - p < 5 || p[0] != ' ' || p[1] < '1' || p[1] > '9' || !is(p[2], kDigitCharacter) ||
      !is(p[3], kDigitCharacter)) {
    return bad_request("no status of three digits");
  }
  head.status = static_cast<uint16_t>((p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0'));
  p += 4;
  // The space before an empty reason is often left out; that is harmless.
  if (*p == ' ') {
    ++p;
    const char* const reason_end = skip_value(p, end);
    head.reason = {p, static_cast<size_t>(reason_end - p)};
    p = reason_end;
  }
  return end_of_line(p, end);
}

Method method_id(std::string_view method) {
  switch (method.size()) {
    case 3:
      if (method == "GET") return Method::kGet;
      if (method == "PUT") return Method::kPut;
      break;
    case 4:
      if (method == "POST") return Method::kPost;
      if (method == "HEAD") return Method::kHead;
      break;
    case 5:
      if (method == "PATCH") return Method::kPatch;
      if (method == "TRACE") return Method::kTrace;
      break;
    case 6:
      if (method == "DELETE") return Method::kDelete;
      break;
    case 7:
      if (method == "OPTIONS") return Method::kOptions;
      if (method == "CONNECT") return Method::kConnect;
      break;
    default:
      break;
  }
  return Method::kOther;
}

}  // namespace freehold::http
