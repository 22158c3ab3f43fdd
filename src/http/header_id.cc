#include "http/header_id.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace freehold::http {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({"",
                                                         "Host",
                                                         "Content-Length",
                                                         "Transfer-Encoding",
                                                         "Connection",
                                                         "Keep-Alive",
                                                         "Proxy-Connection",
                                                         "Proxy-Authenticate",
                                                         "Proxy-Authorization",
                                                         "TE",
                                                         "Trailer",
                                                         "Upgrade",
                                                         "Expect",
                                                         "Forwarded",
                                                         "Via",
                                                         "X-Forwarded-For",
                                                         "X-Forwarded-Host",
                                                         "X-Forwarded-Port",
                                                         "X-Forwarded-Proto",
                                                         "X-Real-IP",
                                                         "X-Request-ID",
                                                         "Traceparent",
                                                         "Accept",
                                                         "Accept-Encoding",
                                                         "Accept-Ranges",
                                                         "Age",
                                                         "Authorization",
                                                         "Cache-Control",
                                                         "Content-Encoding",
                                                         "Content-Range",
                                                         "Content-Type",
                                                         "Cookie",
                                                         "Date",
                                                         "ETag",
                                                         "Expires",
                                                         "If-Match",
                                                         "If-Modified-Since",
                                                         "If-None-Match",
                                                         "If-Range",
                                                         "If-Unmodified-Since",
                                                         "Last-Modified",
                                                         "Location",
                                                         "Origin",
                                                         "Range",
                                                         "Referer",
                                                         "Retry-After",
                                                         "Server",
                                                         "Set-Cookie",
                                                         "User-Agent",
                                                         "Vary",
                                                         "Sec-WebSocket-Accept",
                                                         "Sec-WebSocket-Extensions",
                                                         "Sec-WebSocket-Key",
                                                         "Sec-WebSocket-Protocol",
                                                         "Sec-WebSocket-Version"});
static_assert(kNames.size() == static_cast<size_t>(HeaderId::kCount));

constexpr size_t kSlots = 512;

// Length and three letters tell all known names apart. Bit 0x20 folds the case, and confuses no two characters of known
// names. The multiplier was found by trying: a new name that collides fails the assertion below, and needs another one.
constexpr uint32_t kMultiplier = 0x7644e48d;

constexpr size_t slot_of(std::string_view name) {
  auto letter = [name](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(name[i]) | 0x20U); };
  uint32_t key = static_cast<uint32_t>(name.size()) | letter(name.size() / 2) << 5 | letter(name.size() * 3 / 4) << 13 |
                 letter(name.size() - 1) << 21;
  return static_cast<size_t>((key * kMultiplier) >> 23);
}

constexpr std::array<uint8_t, kSlots> kTable = [] {
  std::array<uint8_t, kSlots> table{};
  for (size_t i = 1; i < kNames.size(); ++i) table[slot_of(kNames[i])] = static_cast<uint8_t>(i);
  return table;
}();

static_assert([] {
  for (size_t i = 1; i < kNames.size(); ++i) {
    if (kTable[slot_of(kNames[i])] != i) return false;
  }
  return true;
}());

// Bytes folded to lower case, several at once: exact for token characters, of which no two differ in bit 0x20 alone but
// letters and some that no known name has.
template <class Word>
bool differ(const char* a, const char* b) {
  Word x, y;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  constexpr auto kFold = static_cast<Word>(0x2020202020202020U);
  return ((x ^ y) & static_cast<Word>(~kFold)) != 0;
}

bool same_name(const char* a, const char* b, size_t size) {
  size_t at = 0;
  for (; size - at >= 8; at += 8) {
    if (differ<uint64_t>(a + at, b + at)) return false;
  }
  // The last bytes are compared with some of those before them once more.
  if (at == size) return true;
  if (size >= 8) return !differ<uint64_t>(a + size - 8, b + size - 8);
  if (size >= 4) return !differ<uint32_t>(a, b) && !differ<uint32_t>(a + size - 4, b + size - 4);
  for (; at < size; ++at) {
    if (differ<uint8_t>(a + at, b + at)) return false;
  }
  return true;
}

}  // namespace

HeaderId header_id(std::string_view name) {
  if (name.empty()) return HeaderId::kOther;
  uint8_t candidate = kTable[slot_of(name)];
  std::string_view known = kNames[candidate];
  if (name.size() != known.size()) return HeaderId::kOther;
  return same_name(name.data(), known.data(), name.size()) ? static_cast<HeaderId>(candidate) : HeaderId::kOther;
}

std::string_view header_name(HeaderId id) { return kNames[static_cast<size_t>(id)]; }

}  // namespace freehold::http
