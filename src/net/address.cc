#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace freehold::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr size_t kLongestText = INET6_ADDRSTRLEN + 1 + IF_NAMESIZE;

Result<uint16_t> parse_port(std::string_view text, std::string_view whole) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return Error(ErrorCode::kInvalid, fmt::format("'{}': '{}' is no port (0 to 65535)", whole, text));
  }
  return port;
}

Error no_address(std::string_view text) {
  return Error(ErrorCode::kInvalid, fmt::format("'{}' is no IP address such as 192.0.2.1 or 2001:db8::1", text));
}

}  // namespace

Result<SocketAddress> SocketAddress::parse_ip(std::string_view text, uint16_t port) {
  std::string_view bare = text;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  if (bare.size() > kLongestText) return no_address(text.substr(0, kLongestText));
  SocketAddress address;
  address.port_ = port;
  if (bare.size() == text.size()) {
    if (inet_pton(AF_INET, std::string(bare).c_str(), address.bytes_.data()) == 1) return address;
  }
  if (const size_t percent = bare.find('%'); percent != std::string_view::npos) {
    const std::string interface(bare.substr(percent + 1));
    address.scope_ = if_nametoindex(interface.c_str());
    if (address.scope_ == 0) {
      return Error(ErrorCode::kInvalid, fmt::format("'{}': there is no network interface '{}'", text, interface));
    }
    bare = bare.substr(0, percent);
  }
  address.family_ = Family::kIpv6;
  address.bytes_.resize(16);
  if (inet_pton(AF_INET6, std::string(bare).c_str(), address.bytes_.data()) != 1) return no_address(text);
  return address;
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return unix_path(text.substr(kUnixPrefix.size()));
  const size_t colon = text.rfind(':');
  const std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  // Without brackets nobody can tell the port from the last group of an IPv6 address.
  const bool ambiguous = host.find(':') != std::string_view::npos && !host.ends_with(']');
  if (colon == std::string_view::npos || ambiguous) {
    return Error(ErrorCode::kInvalid,
                 fmt::format("'{}': expected an address and a port, as in 127.0.0.1:8080 or [::1]:8080", text));
  }
  FH_ASSIGN(const uint16_t port, parse_port(text.substr(colon + 1), text));
  if (host.empty()) return any(port);
  return parse_ip(host, port);
}

Result<SocketAddress> SocketAddress::unix_path(std::string_view path) {
  constexpr size_t kMost = sizeof(sockaddr_un::sun_path) - 1;
  if (!path.starts_with('/')) {
    return Error(ErrorCode::kInvalid, fmt::format("'{}': the path of a socket must be absolute", path));
  }
  if (path.size() > kMost) {
    return Error(ErrorCode::kInvalid, fmt::format("'{}': the path of a socket may have {} bytes at most, this has {}",
                                                  path, kMost, path.size()));
  }
  if (path.find('\0') != std::string_view::npos) {
    return Error(ErrorCode::kInvalid, "the path of a socket contains a zero byte");
  }
  SocketAddress address;
  address.family_ = Family::kUnix;
  address.bytes_ = path;
  return address;
}

SocketAddress SocketAddress::loopback(uint16_t port) {
  SocketAddress address;
  address.port_ = port;
  address.bytes_ = std::string("\x7f\0\0\1", 4);
  return address;
}

SocketAddress SocketAddress::any(uint16_t port) {
  SocketAddress address;
  address.family_ = Family::kIpv6;
  address.port_ = port;
  address.bytes_.assign(16, '\0');
  return address;
}

Result<SocketAddress> SocketAddress::from_kernel(const sockaddr* general, socklen_t length) {
  SocketAddress address;
  if (general->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in internet{};
    std::memcpy(&internet, general, sizeof internet);
    address.port_ = ntohs(internet.sin_port);
    std::memcpy(address.bytes_.data(), &internet.sin_addr, 4);
    return address;
  }
  if (general->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 internet{};
    std::memcpy(&internet, general, sizeof internet);
    address.family_ = Family::kIpv6;
    address.port_ = ntohs(internet.sin6_port);
    address.scope_ = internet.sin6_scope_id;
    address.bytes_.resize(16);
    std::memcpy(address.bytes_.data(), &internet.sin6_addr, 16);
    return address;
  }
  if (general->sa_family == AF_UNIX) {
    constexpr size_t kHead = offsetof(sockaddr_un, sun_path);
    const char* path = reinterpret_cast<const sockaddr_un*>(general)->sun_path;
    address.family_ = Family::kUnix;
    // The other end of a unix connection usually has no name, which is an empty path here.
    address.bytes_ = length <= kHead ? std::string() : std::string(path, strnlen(path, length - kHead));
    return address;
  }
  return Error(ErrorCode::kUnsupported, fmt::format("address family {} is not known", general->sa_family));
}

Result<SocketAddress> SocketAddress::local_of(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* general = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(fd, general, &length) != 0) return errno_error("cannot read a socket's address", errno);
  return from_kernel(general, length);
}

Result<SocketAddress> SocketAddress::peer_of(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* general = reinterpret_cast<sockaddr*>(&storage);
  if (getpeername(fd, general, &length) != 0) return errno_error("cannot read the address of a socket's peer", errno);
  return from_kernel(general, length);
}

bool SocketAddress::is_loopback() const {
  if (family_ == Family::kIpv4) return bytes_[0] == 0x7f;
  if (family_ != Family::kIpv6) return false;
  using std::string_view_literals::operator""sv;
  return bytes_ == "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"sv || bytes_.starts_with("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f"sv);
}

bool SocketAddress::is_any() const { return !is_unix() && bytes_.find_first_not_of('\0') == std::string::npos; }

std::string SocketAddress::ip() const {
  if (is_unix()) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(domain(), bytes_.data(), text.data(), text.size());
  std::string result(text.data());
  std::array<char, IF_NAMESIZE> interface{};
  if (scope_ != 0 && if_indextoname(scope_, interface.data()) != nullptr) {
    result += '%';
    result += interface.data();
  }
  return result;
}

std::string SocketAddress::to_string() const {
  switch (family_) {
    case Family::kIpv4:
      return fmt::format("{}:{}", ip(), port_);
    case Family::kIpv6:
      return fmt::format("[{}]:{}", ip(), port_);
    case Family::kUnix:
      break;
  }
  return std::string(kUnixPrefix) + bytes_;
}

socklen_t SocketAddress::to_kernel(sockaddr_storage& storage) const {
  storage = {};
  if (family_ == Family::kIpv4) {
    sockaddr_in internet{};
    internet.sin_family = AF_INET;
    internet.sin_port = htons(port_);
    std::memcpy(&internet.sin_addr, bytes_.data(), 4);
    std::memcpy(&storage, &internet, sizeof internet);
    return sizeof internet;
  }
  if (family_ == Family::kIpv6) {
    sockaddr_in6 internet{};
    internet.sin6_family = AF_INET6;
    internet.sin6_port = htons(port_);
    internet.sin6_scope_id = scope_;
    std::memcpy(&internet.sin6_addr, bytes_.data(), 16);
    std::memcpy(&storage, &internet, sizeof internet);
    return sizeof internet;
  }
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, bytes_.data(), bytes_.size());
  std::memcpy(&storage, &local, sizeof local);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + bytes_.size() + 1);
}

int SocketAddress::domain() const {
  switch (family_) {
    case Family::kIpv4:
      return AF_INET;
    case Family::kIpv6:
      return AF_INET6;
    case Family::kUnix:
      break;
  }
  return AF_UNIX;
}

}  // namespace freehold::net
