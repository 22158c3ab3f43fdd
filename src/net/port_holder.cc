// Who holds a port: the sockets from the kernel, then the process with one of them among its descriptors.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>

#include "base/text.h"
#include "net/listen.h"
#include "os/disk.h"

namespace freehold::net {
namespace {

constexpr Bytes kLongestName{64};
constexpr size_t kMostListeners = 4096;

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

Result<void> send_request(const os::Fd& kernel, uint8_t family, uint16_t port) {
  Request request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = family;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1u << TCP_LISTEN;
  request.body.id.idiag_sport = htons(port);
  if (::send(kernel.get(), &request, sizeof(request), 0) < 0) return errno_error("cannot ask for sockets", errno);
  return {};
}

// Takes one part of the answer; true when it was the last.
Result<bool> take_part(std::span<const std::byte> part, uint16_t port, std::vector<Listener>& out) {
  while (part.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, part.data(), sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > part.size()) break;
    if (header.nlmsg_type == NLMSG_DONE) return true;
    if (header.nlmsg_type == NLMSG_ERROR) return Error(ErrorCode::kUnavailable, "the kernel does not tell who listens");
    inet_diag_msg socket{};
    if (header.nlmsg_len >= NLMSG_HDRLEN + sizeof(socket)) {
      std::memcpy(&socket, part.data() + NLMSG_HDRLEN, sizeof(socket));
      // A kernel that overlooks the port in the question gives all of them.
      if (ntohs(socket.id.idiag_sport) == port && out.size() < kMostListeners)
        out.push_back({.owner = socket.idiag_uid, .inode = socket.idiag_inode});
    }
    part = part.subspan(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), part.size()));
  }
  return false;
}

bool is_pid(std::string_view text, pid_t& pid) {
  const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return error == std::errc() && last == text.data() + text.size();
}

}  // namespace

Result<std::vector<Listener>> find_listeners(uint16_t port) {
  const os::Fd kernel(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!kernel) return Error(ErrorCode::kUnavailable, "the kernel does not tell who listens");
  std::vector<Listener> out;
  alignas(nlmsghdr) std::array<std::byte, 32768> buffer;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    FH_TRY(send_request(kernel, family, port));
    for (bool last = false; !last;) {
      const ssize_t count = ::recv(kernel.get(), buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return errno_error("cannot read who listens", errno);
      FH_ASSIGN(last, take_part(std::span(buffer).first(static_cast<size_t>(count)), port, out));
    }
  }
  return out;
}

bool holds_one_of(pid_t pid, const std::vector<Listener>& listeners) {
  os::Disk& disk = os::system_disk();
  const std::string folder = fmt::format("/proc/{}/fd", pid);
  const auto descriptors = disk.list(folder);
  if (!descriptors) return false;  // a process of another user, or one that just ended
  return std::ranges::any_of(*descriptors, [&](const os::FileInfo& each) {
    const auto target = disk.read_link(os::join_path(folder, each.name));
    return target && std::ranges::any_of(listeners, [&](const Listener& listener) {
             return *target == fmt::format("socket:[{}]", listener.inode);
           });
  });
}

std::optional<PortHolder> find_port_holder(const SocketAddress& address) {
  const auto listeners = find_listeners(address.port());
  if (!listeners || listeners->empty()) return std::nullopt;
  os::Disk& disk = os::system_disk();
  const auto processes = disk.list("/proc");
  if (!processes) return std::nullopt;
  for (const os::FileInfo& each : *processes) {
    PortHolder holder;
    if (!is_pid(each.name, holder.pid) || !holds_one_of(holder.pid, *listeners)) continue;
    if (auto name = disk.read(fmt::format("/proc/{}/comm", each.name), kLongestName)) holder.command = trim(*name);
    return holder;
  }
  return std::nullopt;
}

}  // namespace freehold::net
