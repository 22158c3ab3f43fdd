// Who holds a port, from /proc: the socket's inode in the table of listeners, then the process with that descriptor.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"
#include "net/listen.h"
#include "os/disk.h"

namespace freehold::net {
namespace {

constexpr Bytes kLargestTable{uint64_t{16} << 20};  // some hundred thousand sockets
constexpr Bytes kLongestName{64};
constexpr std::string_view kListening = "0A";  // TCP_LISTEN as the kernel prints it

template <class Number>
bool parse(std::string_view text, Number& number, int base) {
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number, base);
  return error == std::errc() && last == end;
}

// Lines look like "  0: 0100007F:1F90 00000000:0000 0A ... inode ...": local address, remote address, state, and the
// inode in the tenth column.
void add_listeners(os::Disk& disk, const char* path, uint16_t port, std::set<std::string>& sockets) {
  constexpr size_t kLocal = 1;
  constexpr size_t kState = 3;
  constexpr size_t kInode = 9;
  const auto table = disk.read(path, kLargestTable);
  if (!table) return;
  for (const std::string_view line : split(*table, '\n')) {
    std::vector<std::string_view> columns = split(line, ' ');
    std::erase(columns, std::string_view());
    if (columns.size() <= kInode || columns[kState] != kListening) continue;
    uint16_t found = 0;
    const size_t colon = columns[kLocal].rfind(':');
    if (!parse(columns[kLocal].substr(colon + 1), found, 16) || found != port) continue;
    sockets.insert(fmt::format("socket:[{}]", columns[kInode]));
  }
}

bool holds_one_of(os::Disk& disk, const std::string& process, const std::set<std::string>& sockets) {
  const std::string folder = process + "/fd";
  const auto descriptors = disk.list(folder);
  if (!descriptors) return false;  // a process of another user, or one that just ended
  return std::any_of(descriptors->begin(), descriptors->end(), [&](const os::FileInfo& each) {
    const auto target = disk.read_link(os::join_path(folder, each.name));
    return target && sockets.contains(*target);
  });
}

}  // namespace

std::optional<PortHolder> find_port_holder(const SocketAddress& address) {
  os::Disk& disk = os::system_disk();
  std::set<std::string> sockets;
  add_listeners(disk, "/proc/net/tcp", address.port(), sockets);
  add_listeners(disk, "/proc/net/tcp6", address.port(), sockets);
  if (sockets.empty()) return std::nullopt;
  const auto processes = disk.list("/proc");
  if (!processes) return std::nullopt;
  for (const os::FileInfo& each : *processes) {
    PortHolder holder;
    const std::string process = os::join_path("/proc", each.name);
    if (!parse(each.name, holder.pid, 10) || !holds_one_of(disk, process, sockets)) continue;
    if (auto name = disk.read(process + "/comm", kLongestName)) holder.command = trim(*name);
    return holder;
  }
  return std::nullopt;
}

}  // namespace freehold::net
