#include "gateway/forward_head.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace freehold::gateway {
namespace {

using http::HeaderId;

constexpr uint64_t bit(HeaderId id) { return uint64_t{1} << static_cast<unsigned>(id); }

// What only this gateway may tell an upstream about the client.
constexpr uint64_t kForwardingFields = bit(HeaderId::kForwarded) | bit(HeaderId::kXForwardedFor) |
                                       bit(HeaderId::kXForwardedHost) | bit(HeaderId::kXForwardedPort) |
                                       bit(HeaderId::kXForwardedProto) | bit(HeaderId::kXRealIp) |
                                       bit(HeaderId::kXRequestId);

bool is_forwarding(HeaderId id) { return (kForwardingFields & bit(id)) != 0; }

// What has no id and must not come from outside all the same.
bool resembles_forwarding(std::string_view name) {
  constexpr std::string_view kFamily = "x-forwarded-";  // -Prefix, -Server, -Ssl and whatever comes next
  // CGI programs are given it as HTTP_PROXY, which their libraries take for the proxy to go out by.
  constexpr std::string_view kProxy = "proxy";
  if (name.size() == kProxy.size()) return equals_ignoring_case(name, kProxy);
  constexpr size_t kMost = 64;
  if (name.size() < kProxy.size() || name.size() > kMost) return false;
  // A CGI-like environment turns "X_Forwarded_For" and "X-Forwarded-For" into the same variable.
  std::array<char, kMost> dashed;
  std::ranges::replace_copy(name, dashed.begin(), '_', '-');
  const std::string_view text(dashed.data(), name.size());
  return equals_ignoring_case(text.substr(0, kFamily.size()), kFamily) || is_forwarding(http::header_id(text));
}

// Copies lines that stay, neighbours together.
class LineCopier {
 public:
  explicit LineCopier(TextWriter& out) : out_(out) {}
  void keep(std::string_view line) {
    if (run_.data() + run_.size() == line.data()) {
      run_ = {run_.data(), run_.size() + line.size()};
      return;
    }
    flush();
    run_ = line;
  }
  void flush() {
    out_.put(run_);
    run_ = {};
  }

 private:
  TextWriter& out_;
  std::string_view run_;
};

void write_forwarding(const http::RequestHead& head, const RequestForwarding& forwarding, TextWriter& out) {
  out.put("X-Forwarded-For: ");
  out.put(forwarding.client);
  out.put("\r\nX-Forwarded-Proto: http\r\n");
  std::string_view host = head.value(HeaderId::kHost);
  if (!host.empty()) {
    out.put("X-Forwarded-Host: ");
    out.put(host);
    out.put("\r\n");
  }
  out.put(forwarding.client_is_v6 ? "Forwarded: for=\"[" : "Forwarded: for=");
  out.put(forwarding.client);
  if (forwarding.client_is_v6) out.put("]\"");
  if (!host.empty()) {
    out.put(";host=\"");
    out.put(host);
    out.put("\"");
  }
  out.put(";proto=http\r\nX-Request-Id: ");
  out.put(forwarding.request_id);
  out.put("\r\n");
}

}  // namespace

void write_request_head(const http::RequestHead& head, const RequestForwarding& forwarding, TextWriter& out) {
  out.put(head.method);
  out.put(" ");
  out.put(head.path);
  out.put(head.query);
  out.put(" HTTP/1.1\r\n");
  LineCopier lines(out);
  for (const http::Header& header : head.headers()) {
    if (header.hop_by_hop || is_forwarding(header.id) || header.id == HeaderId::kTrailer) continue;
    if (header.id == HeaderId::kOther && resembles_forwarding(header.name())) continue;
    lines.keep(header.line());
  }
  lines.flush();
  if (!head.has(HeaderId::kHost)) {
    out.put("Host: ");
    out.put(head.authority.host.empty() ? forwarding.host_fallback : head.authority.host);
    out.put("\r\n");
  }
  if (forwarding.chunked) out.put("Transfer-Encoding: chunked\r\n");
  if (!head.upgrade.empty()) write_upgrade(head.upgrade, out);
  write_forwarding(head, forwarding, out);
  out.put("\r\n");
}

void write_response_head(const http::ResponseHead& head, const ResponseForwarding& forwarding, TextWriter& out) {
  out.put("HTTP/1.1 ");
  out.put_number(head.status);
  out.put(" ");
  out.put(head.reason);
  out.put("\r\n");
  const bool never_has_a_body = head.status < 200 || head.status == 204;
  LineCopier lines(out);
  for (const http::Header& header : head.headers()) {
    if (header.hop_by_hop || header.id == HeaderId::kTrailer) continue;
    // RFC 9110 section 8.6: whoever took it at its word would wait for bytes that belong to the next answer.
    if (header.id == HeaderId::kContentLength && never_has_a_body) continue;
    lines.keep(header.line());
  }
  lines.flush();
  if (head.status >= 200 && !head.has(HeaderId::kDate)) out.put(forwarding.date_line);
  if (forwarding.chunked) out.put("Transfer-Encoding: chunked\r\n");
  if (head.status == 101) write_upgrade(head.upgrade, out);
  if (forwarding.close) out.put("Connection: close\r\n");
  if (forwarding.keep_alive_1_0) out.put("Connection: keep-alive\r\n");
  out.put("\r\n");
}

void write_upgrade(std::string_view protocol, TextWriter& out) {
  out.put("Connection: Upgrade\r\nUpgrade: ");
  out.put(protocol);
  out.put("\r\n");
}

}  // namespace freehold::gateway
