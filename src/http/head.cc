#include "http/head.h"

#include <algorithm>

#include "base/text.h"
#include "http/head_parser.h"
#include "http/scan.h"

namespace freehold::http {
namespace {

// Lengths and offsets of a line are kept in 16 bits.
constexpr uint32_t kMostBytes = 0xffff;

HeadResult refused(const Refusal& refusal) { return {HeadState::kRefused, 0, refusal.status, refusal.reason}; }

bool may_begin(char c, const RequestHead&) { return is(c, kTokenCharacter) || c == '\r'; }
bool may_begin(char c, const ResponseHead&) { return c == 'H'; }

}  // namespace

template <class Head>
HeadResult HeadParser::run(Head& head) {
  const char* const first = bytes_.data();
  // Offsets are kept, pointers are not: when the buffer moved or is another one, begin again.
  if (head.finished_ || head.bytes_ != first || head.scanned_ > bytes_.size()) head.clear();
  head.bytes_ = first;
  const size_t limit = std::min(limits_.bytes, kMostBytes);
  const size_t size = std::min(bytes_.size(), limit);
  head.finished_ = true;  // unless more is needed, below

  if (!head.started_ && size > 0 && !may_begin(*first, head)) return refused(bad_request("not HTTP"));
  const void* last = size > head.scanned_ ? memrchr(first + head.scanned_, '\n', size - head.scanned_) : nullptr;
  const char* line = first + head.line_start_;
  if (last != nullptr) {
    const char* const stop = static_cast<const char*>(last) + 1;
    while (line != stop) {
      if (!head.started_) {
        if (Refusal refusal = start_line(line, stop, head)) return refused(refusal);
      } else if (*line == '\r' && line[1] == '\n') {
        if (Refusal refusal = finish(head)) return refused(refusal);
        return {HeadState::kComplete, static_cast<uint32_t>(line + 2 - first), 0, {}};
      } else if (Refusal refusal = field_line(line, stop, head)) {
        return refused(refusal);
      }
    }
  }
  // Not complete within the limit is too long, however much more there is.
  if (size == limit) {
    return head.started_ ? refused({431, "the head is too long"}) : refused({414, "the start line is too long"});
  }
  head.finished_ = false;
  head.line_start_ = static_cast<uint32_t>(line - first);
  head.scanned_ = static_cast<uint32_t>(size);
  return {};
}

Refusal HeadParser::start_line(const char*& p, const char* end, RequestHead& head) {
  if (p == bytes_.data() && p[0] == '\r' && p[1] == '\n') {
    p += 2;
    return {};
  }
  head.started_ = true;
  return parse_request_line(p, end, limits_.target, head);
}

Refusal HeadParser::start_line(const char*& p, const char* end, ResponseHead& head) {
  head.started_ = true;
  return parse_status_line(p, end, head);
}

Refusal HeadParser::field_line(const char*& p, const char* end, MessageHead& head) const {
  if (head.header_count_ >= std::min<size_t>(limits_.headers, kMostHeaders)) return {431, "too many header fields"};
  const char* const line = p;
  const char* const colon = skip(line, end, kTokenCharacter);
  if (*colon != ':' || colon == line) {
    if (is_space(*line)) return bad_request("a folded line, or a space before the first field");
    return bad_request(is_space(*colon) ? "a space before the colon" : "a field name that is no token");
  }
  const char* const value = skip_spaces(colon + 1, end);
  const char* q = skip_value(value, end);
  if (*q != '\r') return bad_request(*q == '\n' ? "a line feed alone" : "a control character in a field");
  if (q[1] != '\n') return bad_request("a carriage return alone");
  p = q + 2;
  while (q != value && is_space(q[-1])) --q;

  Header& header = head.headers_[head.header_count_++];
  header.line_ = line;
  header.name_length_ = static_cast<uint16_t>(colon - line);
  header.value_offset_ = static_cast<uint16_t>(value - line);
  header.value_length_ = static_cast<uint16_t>(q - value);
  header.line_length_ = static_cast<uint16_t>(p - line);
  header.hop_by_hop = false;
  header.id = header_id({line, static_cast<size_t>(colon - line)});
  Refusal refusal = header.id == HeaderId::kOther ? Refusal{} : note(header, head);
  head.present_ |= uint64_t{1} << static_cast<unsigned>(header.id);
  return refusal;
}

HeadResult parse_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head) {
  return HeadParser(bytes, limits).run(head);
}

HeadResult parse_response_head(std::string_view bytes, const HeadLimits& limits, ResponseHead& head) {
  return HeadParser(bytes, limits).run(head);
}

void MessageHead::clear() {
  minor_version = 1;
  chunked = false;
  keep_alive = true;
  content_length.reset();
  upgrade = {};
  present_ = 0;
  header_count_ = line_start_ = scanned_ = 0;
  codings_ = 0;
  started_ = finished_ = false;
  bytes_ = nullptr;
}

void RequestHead::clear() {
  MessageHead::clear();
  method_id = Method::kOther;
  expect_continue = absolute_form = false;
  method = target = path = query = {};
  authority = {};
}

void ResponseHead::clear() {
  MessageHead::clear();
  status = 0;
  reason = {};
}

std::string_view MessageHead::header_lines() const {
  if (header_count_ == 0) return {};
  const char* begin = headers_.front().line().data();
  std::string_view last = headers_[header_count_ - 1].line();
  return {begin, static_cast<size_t>(last.data() + last.size() - begin)};
}

const Header* MessageHead::find(HeaderId id) const {
  if (!has(id)) return nullptr;
  for (const Header& header : headers()) {
    if (header.id == id) return &header;
  }
  return nullptr;
}

const Header* MessageHead::find(std::string_view name) const {
  for (const Header& header : headers()) {
    if (equals_ignoring_case(header.name(), name)) return &header;
  }
  return nullptr;
}

std::string_view MessageHead::value(HeaderId id) const {
  const Header* header = find(id);
  return header == nullptr ? std::string_view() : header->value();
}

}  // namespace freehold::http
