#include "os/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace freehold::os {
namespace {

constexpr int kFirstSocket = 3;
constexpr int kMostSockets = 64;

std::string take(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value == nullptr ? "" : value;
  unsetenv(name);
  return out;
}

std::optional<uint64_t> number(const std::string& text) {
  uint64_t value = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_us(const std::string& pid) { return number(pid) == static_cast<uint64_t>(getpid()); }

}  // namespace

ServiceManager ServiceManager::take_from_environment() {
  ServiceManager manager;
  std::string address = take("NOTIFY_SOCKET");
  // A path, or '@' for the abstract namespace; systemd knows vsock too, which is for machines and not for services.
  if ((address.starts_with('/') || address.starts_with('@')) && address.size() < sizeof(sockaddr_un::sun_path)) {
    if (address[0] == '@') address[0] = '\0';
    manager.address_ = std::move(address);
  }
  auto period = number(take("WATCHDOG_USEC"));
  std::string watched = take("WATCHDOG_PID");
  if (period && *period > 0 && (watched.empty() || is_us(watched)))
    manager.watchdog_ = std::chrono::microseconds(*period);
  auto count = number(take("LISTEN_FDS"));
  bool ours = is_us(take("LISTEN_PID"));
  take("LISTEN_FDNAMES");
  if (!ours || !count || *count > kMostSockets) return manager;
  for (int socket = kFirstSocket; socket < kFirstSocket + static_cast<int>(*count); ++socket) {
    fcntl(socket, F_SETFD, FD_CLOEXEC);
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
    manager.sockets_.emplace_back(socket);
  }
  return manager;
}

void ServiceManager::say(std::string_view state) const {
  if (address_.empty()) return;
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  // An abstract name ends where the address does; a path has its NUL.
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() + (address_[0] != '\0'));
  (void)sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length);
}

}  // namespace freehold::os
