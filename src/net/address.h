// SocketAddress: where a socket listens or connects: IPv4 or IPv6 with a port, or a path of the file system.
//
// A plain value: copy it, compare it, use it as a key. Texts are numeric ("127.0.0.1:80", "[::1]:80", "unix:/run/x"):
// names are for resolve.h. Not held: IPv6 flow labels; abstract unix names (anybody could take them first).
#pragma once

#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace freehold::net {

class SocketAddress {
 public:
  enum class Family : uint8_t { kIpv4, kIpv6, kUnix };

  SocketAddress() = default;  // 0.0.0.0:0

  // "10.0.0.1", "::1", "[::1]", "fe80::1%eth0" with a port apart.
  static Result<SocketAddress> parse_ip(std::string_view text, uint16_t port);
  // "10.0.0.1:80", "[::1]:80", "unix:/path"; ":80" is every address, IPv6 and IPv4.
  static Result<SocketAddress> parse(std::string_view text);
  // kInvalid if the path is empty, not absolute, or longer than the kernel takes (107 bytes).
  static Result<SocketAddress> unix_path(std::string_view path);
  static SocketAddress loopback(uint16_t port);  // 127.0.0.1
  static SocketAddress any(uint16_t port);       // [::], which includes IPv4 unless the socket says otherwise
  // From what accept, getpeername or recvfrom filled in.
  static Result<SocketAddress> from_kernel(const sockaddr* general, socklen_t length);
  // The address that a socket is bound to, or whose peer it is.
  static Result<SocketAddress> local_of(int fd);
  static Result<SocketAddress> peer_of(int fd);

  Family family() const { return family_; }
  bool is_unix() const { return family_ == Family::kUnix; }
  bool is_loopback() const;  // 127.0.0.0/8, ::1, and the former mapped into the latter's family
  bool is_any() const;       // 0.0.0.0 or ::
  uint16_t port() const { return port_; }
  void set_port(uint16_t port) { port_ = port; }
  const std::string& path() const { return bytes_; }  // unix only
  // 4 or 16 bytes in network order.
  std::string_view ip_bytes() const { return bytes_; }

  std::string to_string() const;  // as parse() reads it
  std::string ip() const;         // without the port: "10.0.0.1", "::1"

  // Fills the kernel's form and returns its length.
  socklen_t to_kernel(sockaddr_storage& storage) const;
  int domain() const;  // AF_INET, AF_INET6, AF_UNIX

  auto operator<=>(const SocketAddress&) const = default;

 private:
  Family family_ = Family::kIpv4;
  uint16_t port_ = 0;
  uint32_t scope_ = 0;  // the interface of a link-local IPv6 address
  std::string bytes_ = std::string(4, '\0');
};

}  // namespace freehold::net
