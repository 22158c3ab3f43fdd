#include "net/listen.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "net/connect.h"

namespace freehold::net {
namespace {

void set_option(const os::Fd& socket, int level, int option, int value) {
  setsockopt(socket.get(), level, option, &value, sizeof value);
}

// Creates and binds; 0 or an errno.
int bind_tcp(const SocketAddress& address, bool ipv6_only, os::Fd& socket) {
  socket = os::Fd(::socket(address.domain(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno;
  // A restart must not wait for the last connections of the former listener to time out.
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == SocketAddress::Family::kIpv6) {
    set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only ? 1 : 0);
  }
  sockaddr_storage storage;
  const socklen_t length = address.to_kernel(storage);
  return bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? 0 : errno;
}

Error listen_error(const SocketAddress& address, int number) {
  const std::string what = fmt::format("cannot listen on {}", address.to_string());
  if (number == EADDRINUSE) {
    const auto holder = find_port_holder(address);
    if (!holder) return Error(ErrorCode::kConflict, what + ": another process listens there already");
    return Error(ErrorCode::kConflict,
                 fmt::format("{}: '{}' (pid {}) listens there already", what, holder->command, holder->pid));
  }
  if (number == EADDRNOTAVAIL) {
    return Error(ErrorCode::kInvalid, what + ": this machine has no such address");
  }
  if (number == EACCES && address.port() < 1024) {
    return Error(ErrorCode::kDenied, what + ": ports under 1024 need root or the capability net_bind_service");
  }
  return errno_error(what, number);
}

}  // namespace

Result<os::Fd> listen_tcp(const SocketAddress& address, const ListenOptions& options) {
  if (address.is_unix()) return Error(ErrorCode::kInvalid, address.to_string() + " is no TCP address");
  os::Fd socket;
  if (const int number = bind_tcp(address, options.ipv6_only, socket); number != 0) {
    return listen_error(address, number);
  }
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  if (listen(socket.get(), options.backlog) != 0) return listen_error(address, errno);
  return socket;
}

bool is_free(const SocketAddress& address) {
  os::Fd socket;
  return bind_tcp(address, false, socket) == 0;
}

bool is_free_everywhere(uint16_t port) {
  os::Fd socket;
  const int number = bind_tcp(SocketAddress::any(port), false, socket);
  if (number == 0 || number == EADDRINUSE) return number == 0;
  SocketAddress every_ipv4;  // a machine without IPv6
  every_ipv4.set_port(port);
  return is_free(every_ipv4);
}

Result<uint16_t> find_free_port(const SocketAddress& address, uint16_t first, uint16_t last, uint16_t start) {
  if (first > last) return Error(ErrorCode::kInvalid, fmt::format("the port range {}-{} is empty", first, last));
  const uint32_t count = uint32_t{last} - first + 1;
  const uint32_t begin = start < first || start > last ? 0 : uint32_t{start} - first;
  SocketAddress candidate = address;
  for (uint32_t i = 0; i < count; ++i) {
    candidate.set_port(static_cast<uint16_t>(first + (begin + i) % count));
    if (is_free(candidate)) return candidate.port();
  }
  return Error(ErrorCode::kExhausted, fmt::format("no port from {} to {} is free on {}", first, last, address.ip()));
}

namespace {

Result<os::Fd> bound_unix(const SocketAddress& address, mode_t mode) {
  os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno_error("cannot create a socket", errno);
  // The file is born with the socket's mode less the umask, so that at no moment more is allowed than `mode`.
  fchmod(socket.get(), mode);
  sockaddr_storage storage;
  const socklen_t length = address.to_kernel(storage);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    if (errno == EADDRINUSE) return Error(ErrorCode::kConflict, address.path() + " exists already");
    return errno_error(fmt::format("cannot create the socket {}", address.path()), errno);
  }
  return socket;
}

// Removes the file of a socket on which nobody listens any more.
Result<void> remove_stale(const SocketAddress& address) {
  struct stat status{};
  if (lstat(address.path().c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return Error(ErrorCode::kConflict,
                 fmt::format("cannot listen on {}: a file that is no socket is in the way", address.path()));
  }
  auto other = connect_blocking(address, std::chrono::seconds(1));
  if (other || other.error().code() == ErrorCode::kTimeout) {
    return Error(ErrorCode::kConflict,
                 fmt::format("cannot listen on {}: another process listens there already", address.path()));
  }
  if (other.error().code() == ErrorCode::kDenied) return other.error();
  if (unlink(address.path().c_str()) != 0 && errno != ENOENT) {
    return errno_error(fmt::format("cannot remove the old socket {}", address.path()), errno);
  }
  return {};
}

}  // namespace

Result<os::Fd> listen_unix(const std::string& path, mode_t mode) {
  FH_ASSIGN(const SocketAddress address, SocketAddress::unix_path(path));
  auto socket = bound_unix(address, mode);
  if (!socket && socket.error().code() == ErrorCode::kConflict) {
    FH_TRY(remove_stale(address));
    socket = bound_unix(address, mode);
  }
  if (!socket) return socket.error();
  if (chmod(path.c_str(), mode) != 0) return errno_error(fmt::format("cannot set the mode of {}", path), errno);
  if (listen(socket->get(), 1024) != 0) return errno_error(fmt::format("cannot listen on {}", path), errno);
  return socket;
}

}  // namespace freehold::net
