#include "net/connect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>

namespace freehold::net {

Result<os::Fd> create_stream_socket(const SocketAddress& address) {
  os::Fd socket(::socket(address.domain(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno_error("cannot create a socket", errno);
  if (!address.is_unix()) {
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return socket;
}

Result<os::Fd> connect_blocking(const SocketAddress& address, Duration limit) {
  FH_ASSIGN(os::Fd socket, create_stream_socket(address));
  const std::string what = fmt::format("cannot connect to {}", address.to_string());
  sockaddr_storage storage;
  const socklen_t length = address.to_kernel(storage);
  int number = connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? 0 : errno;
  if (number == EINPROGRESS) {
    pollfd waiting{socket.get(), POLLOUT, 0};
    const auto limit_ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    const int ready = poll(&waiting, 1, static_cast<int>(std::min<int64_t>(limit_ms, 1 << 30)));
    if (ready == 0) return Error(ErrorCode::kTimeout, fmt::format("{}: no answer within {}", what, format(limit)));
    socklen_t size = sizeof number;
    if (ready < 0 || getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
  }
  // A unix socket whose queue of connections is full says EAGAIN: it lives, but does not accept.
  if (number == EAGAIN) return Error(ErrorCode::kTimeout, what + ": its queue of connections is full");
  if (number == ETIMEDOUT) return Error(ErrorCode::kTimeout, what + ": no answer");
  if (number != 0) return errno_error(what, number);
  fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) & ~O_NONBLOCK);
  return socket;
}

Result<PeerCredentials> peer_credentials(int unix_socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(unix_socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return errno_error("cannot tell who is at the other end of a socket", errno);
  }
  // What the kernel says for sockets that are not unix sockets, or whose peer lives outside our namespaces.
  if (credentials.pid == 0) return Error(ErrorCode::kUnsupported, "the other end of the socket has no known process");
  return PeerCredentials{credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace freehold::net
