#include "events/event.h"

#include <algorithm>

namespace freehold::events {
namespace {

void cut(std::string& text, size_t most) {
  if (text.size() <= most) return;
  size_t end = most - 3;
  // Not within a UTF-8 sequence: its later bytes begin with the bits 10.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  text += "...";
}

}  // namespace

Result<void> check_kind(std::string_view kind) {
  bool good = !kind.empty() && kind.size() <= kMostKindBytes && std::ranges::all_of(kind, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  if (good) return {};
  return Error(ErrorCode::kInvalid, fmt::format("'{}' is no kind of event: lower-case parts with dots between them, at "
                                                "most {} bytes",
                                                kind.substr(0, kMostKindBytes), kMostKindBytes));
}

void cut_to_limits(Event& event) {
  cut(event.subject, kMostNameBytes);
  cut(event.actor, kMostNameBytes);
  cut(event.cause, kMostTextBytes);
  cut(event.message, kMostTextBytes);
  size_t size = event.detail.is_null() ? 0 : event.detail.dump().size();
  if (size > kMostDetailBytes) event.detail = codec::Json::object().set("omitted_bytes", size);
}

}  // namespace freehold::events
