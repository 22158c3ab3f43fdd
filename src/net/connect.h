// Connecting, and who is at the other end.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "base/units.h"
#include "net/address.h"
#include "os/fd.h"

namespace freehold::net {

// A socket to connect to `address` with runtime::Stream: non-blocking, close-on-exec, TCP without Nagle's delay.
Result<os::Fd> create_stream_socket(const SocketAddress& address);

// For the command line, which has nothing else to do meanwhile: connects within `limit` and returns a blocking socket.
// kUnavailable if nobody listens there, kNotFound if the socket file does not exist, kTimeout, kDenied.
Result<os::Fd> connect_blocking(const SocketAddress& address, Duration limit);

struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
// Of the process that connected (or called listen) at the other end of a unix socket, as the kernel noted it then.
Result<PeerCredentials> peer_credentials(int unix_socket);

}  // namespace freehold::net
