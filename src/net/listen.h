// Listening sockets, and ports that are free or taken.
//
// Sockets are non-blocking, close-on-exec and, if TCP, without Nagle's delay; connections accepted from them inherit
// the latter. Blocking calls, all short; no state of its own, any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "os/fd.h"

namespace freehold::net {

struct ListenOptions {
  int backlog = 4096;  // the kernel's somaxconn bounds it
  // An IPv6 socket for IPv6 only, so that another one may serve IPv4 on the same port.
  bool ipv6_only = false;
};

// kConflict if the address is taken: the message names it and, where /proc tells, the process that holds it. kDenied
// for ports under 1024 without the privilege.
Result<os::Fd> listen_tcp(const SocketAddress& address, const ListenOptions& options = {});

// A socket file of exactly `mode`. A file left by a process that is gone is replaced; if a living one listens there,
// kConflict. The folder must exist and be the caller's own, or another user could put a socket of theirs in place.
Result<os::Fd> listen_unix(const std::string& path, mode_t mode);

// Whether a TCP socket could listen there now.
bool is_free(const SocketAddress& address);

// Whether a program could listen on that TCP port at every address of this machine, IPv4 and IPv6.
bool is_free_everywhere(uint16_t port);

// A port of [first, last] on `address` (whose own port is ignored) that nobody listens on, searching from `start` on
// and around; kExhausted if there is none. Another process may take it before it is used.
Result<uint16_t> find_free_port(const SocketAddress& address, uint16_t first, uint16_t last, uint16_t start);

// A TCP socket that listens: who opened it, and the number that stands in /proc/PID/fd as "socket:[INODE]".
struct Listener {
  uid_t owner = 0;
  uint32_t inode = 0;
};
// All that listen on that port, at whatever address, by the kernel's word (sock_diag(7)); at most some thousand sockets
// share a port. kUnavailable where the kernel has no sock_diag. Costs what listens, not what is connected.
Result<std::vector<Listener>> find_listeners(uint16_t port);
// Whether that process has one of these sockets open; false too if it may not be looked at.
bool holds_one_of(pid_t pid, const std::vector<Listener>& listeners);

struct PortHolder {
  pid_t pid = 0;
  std::string command;  // its short name
};
// A process that listens on that TCP port, if /proc lets the caller see it.
std::optional<PortHolder> find_port_holder(const SocketAddress& address);

}  // namespace freehold::net
