// Who holds a port, from /proc: the socket's inode in the table of listeners, then the process with that descriptor.
#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "net/listen.h"

namespace freehold::net {
namespace {

constexpr int kMostLines = 100'000;
constexpr std::string_view kListening = "0A";  // TCP_LISTEN as the kernel prints it

// Lines look like "  0: 0100007F:1F90 00000000:0000 0A ... inode ...": local address, remote address, state, and the
// inode in the tenth column.
void add_listeners(const char* table, uint16_t port, std::set<std::string>& sockets) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the heading
  for (int i = 0; i < kMostLines && std::getline(file, line); ++i) {
    std::istringstream columns(line);
    std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    columns >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    const size_t colon = local.rfind(':');
    if (state != kListening || colon == std::string::npos) continue;
    unsigned found = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    if (found == port) sockets.insert(fmt::format("socket:[{}]", inode));
  }
}

bool holds_one_of(const std::filesystem::path& process, const std::set<std::string>& sockets) {
  std::error_code error;  // a process of another user, or one that just ended
  for (std::filesystem::directory_iterator fd(process / "fd", error), end; !error && fd != end; fd.increment(error)) {
    std::error_code unreadable;
    if (sockets.contains(std::filesystem::read_symlink(fd->path(), unreadable).string())) return true;
  }
  return false;
}

}  // namespace

std::optional<PortHolder> find_port_holder(const SocketAddress& address) {
  std::set<std::string> sockets;
  add_listeners("/proc/net/tcp", address.port(), sockets);
  add_listeners("/proc/net/tcp6", address.port(), sockets);
  if (sockets.empty()) return std::nullopt;
  std::error_code error;
  for (std::filesystem::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const std::string name = process->path().filename().string();
    PortHolder holder;
    const auto [last, problem] = std::from_chars(name.data(), name.data() + name.size(), holder.pid);
    if (problem != std::errc() || last != name.data() + name.size()) continue;
    if (!holds_one_of(process->path(), sockets)) continue;
    std::ifstream comm(process->path() / "comm");
    std::getline(comm, holder.command);
    return holder;
  }
  return std::nullopt;
}

}  // namespace freehold::net
