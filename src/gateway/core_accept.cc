// New connections: to which core they go, and what happens when there is no room for them.
#include <sys/socket.h>

#include <cerrno>

#include "gateway/client_connection.h"
#include "gateway/core.h"
#include "gateway/local_reply.h"
#include "gateway/relay.h"

namespace freehold::gateway {
namespace {

// Closed at once when descriptors have run out: accepting is tried again only after a moment.
constexpr int kRoomAtOnce = 16;

}  // namespace

void Core::accepted(const std::string& service, int fd) {
  if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
    for (int i = 0; i < kRoomAtOnce && make_room(); ++i) counters_.shed.add();
  }
  if (fd < 0) return;
  os::Fd socket(fd);
  counters_.accepted.add();
  Core& core = least_loaded();
  if (&core == this) return admit(service, std::move(socket));
  core.handed_over_.fetch_add(1, std::memory_order_relaxed);
  // Shared, because a task has to be copyable; if it is never run, it closes the connection.
  core.loop().post([&core, service, shared = std::make_shared<os::Fd>(std::move(socket))] {
    core.handed_over_.fetch_sub(1, std::memory_order_relaxed);
    core.admit(service, std::move(*shared));
  });
}

Core& Core::least_loaded() {
  Core* best = this;
  for (Core* peer : peers_) {
    if (peer->load() < best->load()) best = peer;
  }
  return *best;
}

void Core::admit(const std::string& service, os::Fd socket) {
  if (counters_.connections.get() >= options_.limits.connections && !make_room()) {
    counters_.shed.add();
    const std::string_view reply = shed_reply();
    // A new socket takes so little at once, or the client is lost anyway.
    [[maybe_unused]] ssize_t sent = ::send(socket.get(), reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  if (service.empty() || table_->speaks_http(service))
    return ClientConnection::start(*this, std::move(socket), service);
  const Target* target = table_->internal(service);
  if (target != nullptr) Relay::start(*this, std::move(socket), *pools_[target->pool]);
}

bool Core::make_room() {
  // Who has been idle longest needs it least.
  ClientConnection* idle = idle_clients_.front();
  if (idle == nullptr) return false;
  idle->close();
  return true;
}

}  // namespace freehold::gateway
