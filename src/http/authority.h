// Authority: who a request is for: the value of Host, or what stands between "//" and the path of an absolute target.
//
// uri-host [ ":" port ] of RFC 3986, without user information, never empty. Views into the text that was parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace freehold::http {

struct Authority {
  std::string_view host;  // as written; an IPv6 address in its brackets
  uint16_t port = 0;      // 0: none was given
};

// Nothing if the text is no authority. A comma is refused too, although the grammar has it: it is two hosts in one.
std::optional<Authority> parse_authority(std::string_view text);

// Hosts without regard to case; a missing port is `default_port`.
bool same_authority(const Authority& a, const Authority& b, uint16_t default_port);

}  // namespace freehold::http
