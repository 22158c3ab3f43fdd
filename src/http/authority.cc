#include "http/authority.h"

#include "base/text.h"
#include "http/scan.h"

namespace freehold::http {
namespace {

// reg-name or IPv4 address; percent-encoding is allowed where it is complete.
const char* skip_host(const char* p, const char* end) {
  for (;;) {
    p = skip(p, end, kHostCharacter);
    if (end - p < 3 || *p != '%' || !is(p[1], kHexCharacter) || !is(p[2], kHexCharacter)) return p;
    p += 3;
  }
}

// "[" IPv6address "]": the characters and a plausible shape; whether it can be connected to is not asked here.
const char* skip_bracketed(const char* p, const char* end) {
  const char* inside = p + 1;
  const char* q = inside;
  int colons = 0;
  for (; q != end && (is(*q, kHexCharacter) || *q == ':' || *q == '.'); ++q) colons += *q == ':' ? 1 : 0;
  if (q == end || *q != ']' || colons < 2 || colons > 8 || q - inside > 45) return p;
  return q + 1;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (text.empty()) return std::nullopt;
  const char* p = *begin == '[' ? skip_bracketed(begin, end) : skip_host(begin, end);
  if (p == begin) return std::nullopt;
  Authority authority{{begin, static_cast<size_t>(p - begin)}, 0};
  if (p == end) return authority;
  if (*p != ':' || end - p > 6) return std::nullopt;
  uint32_t port = 0;
  for (++p; p != end; ++p) {
    if (!is(*p, kDigitCharacter)) return std::nullopt;
    port = port * 10 + static_cast<uint32_t>(*p - '0');
  }
  // "host:" is allowed and means no port; "host:0" names a port that cannot be.
  bool given = end[-1] != ':';
  if (port > 65535 || (given && port == 0)) return std::nullopt;
  authority.port = static_cast<uint16_t>(port);
  return authority;
}

bool same_authority(const Authority& a, const Authority& b, uint16_t default_port) {
  auto port = [default_port](const Authority& authority) {
    return authority.port == 0 ? default_port : authority.port;
  };
  return port(a) == port(b) && equals_ignoring_case(a.host, b.host);
}

}  // namespace freehold::http
