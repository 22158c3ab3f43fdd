#include "http/server.h"

#include <sys/socket.h>

#include "http/server_connection.h"
#include "net/address.h"
#include "runtime/stream.h"

namespace freehold::http {

struct Server::Listener {
  Listener(Server& to, os::Fd listening)
      : server(to),
        socket(std::move(listening)),
        acceptor(to.loop_, socket.get(), runtime::complete<&Listener::on_accepted>(this)) {}
  void on_accepted(int result) { server.on_accepted(*this, result); }

  Server& server;
  os::Fd socket;
  bool is_unix = false;
  runtime::Acceptor acceptor;
};

Server::Server(runtime::Loop& loop, Handler& handler, const ServerLimits& limits)
    : loop_(loop), handler_(handler), limits_(limits), drain_(loop, runtime::complete<&Server::on_drained>(this)) {}

Server::~Server() = default;

Result<void> Server::listen(os::Fd listening_socket) {
  FH_ASSIGN(net::SocketAddress address, net::SocketAddress::local_of(listening_socket.get()));
  auto listener = std::make_unique<Listener>(*this, std::move(listening_socket));
  listener->is_unix = address.is_unix();
  listeners_.push_back(std::move(listener));
  return {};
}

void Server::on_accepted(const Listener& listener, int result) {
  // The acceptor pauses by itself where descriptors are lacking.
  if (result < 0) return;
  os::Fd socket(result);
  Peer peer;
  if (listener.is_unix) {
    auto credentials = net::peer_credentials(socket.get());
    // Without them nobody could be let in: the handler decides on an unknown peer.
    if (credentials) peer.credentials = *credentials;
  } else if (auto address = net::SocketAddress::peer_of(socket.get())) {
    peer.address = address->to_string();
  }
  bool known = handler_.is_known(peer);
  if (connections_.size() >= limits_.connections || (!known && strangers_.size() >= limits_.connections / 2)) {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    static_cast<void>(::send(socket.get(), kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    return;
  }
  auto connection = std::make_unique<ServerConnection>(*this, std::move(socket), std::move(peer));
  ServerConnection* started = connection.get();
  if (!known) strangers_.insert(started);
  connections_.emplace(started, std::move(connection));
  started->start();
}

void Server::stop(Duration drain, std::function<void()> stopped) {
  stopping_ = true;
  stopped_ = std::move(stopped);
  listeners_.clear();
  for (auto& [connection, owned] : connections_) connection->wind_down();
  if (!connections_.empty()) return drain_.start(drain);
  if (auto done = std::move(stopped_)) done();
}

void Server::on_drained(int) {
  for (auto& [connection, owned] : connections_) connection->close();
}

void Server::remove(ServerConnection* connection) {
  strangers_.erase(connection);
  connections_.erase(connection);
  if (!stopping_ || !connections_.empty()) return;
  drain_.cancel();
  if (auto done = std::move(stopped_)) done();
}

}  // namespace freehold::http
