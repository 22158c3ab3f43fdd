#include "agent/gateway_server.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "net/connect.h"
#include "net/listen.h"

namespace freehold::agent {
namespace {

static_assert(model::kMostListenersPerMessage <= net::MessageChannel::kMostDescriptors);
// A gateway that was just killed may hold its sockets for a moment more; whoever else holds one keeps it.
constexpr Duration kFirstRetry = std::chrono::milliseconds(50);
constexpr Duration kMostRetry = std::chrono::seconds(3);

std::vector<model::GatewayListener> wanted_listeners(const model::Routing& routing) {
  std::vector<model::GatewayListener> out;
  for (const model::Listen& listen : routing.gateway.http) out.push_back({listen.address, listen.port, ""});
  for (const auto& [service, port] : routing.addresses) out.push_back({"127.0.0.1", port, service});
  return out;
}

Result<os::Fd> open_listener(const model::GatewayListener& listener) {
  net::SocketAddress address = net::SocketAddress::any(listener.port);
  if (!listener.address.empty()) {
    FH_ASSIGN(address, net::SocketAddress::parse_ip(listener.address, listener.port));
  }
  return net::listen_tcp(address);
}

}  // namespace

GatewayServer::GatewayServer(runtime::Loop& loop, os::Fd socket, Options options, Handlers handlers)
    : loop_(loop),
      socket_(std::move(socket)),
      options_(std::move(options)),
      handlers_(std::move(handlers)),
      grace_(loop, runtime::complete<&GatewayServer::on_grace_over>(this)),
      retry_(loop, runtime::complete<&GatewayServer::on_retry>(this)),
      retry_after_(kFirstRetry) {
  acceptor_ =
      std::make_unique<runtime::Acceptor>(loop_, socket_.get(), runtime::complete<&GatewayServer::on_connection>(this));
  grace_.start(options_.grace);
}

GatewayServer::~GatewayServer() = default;

Result<std::unique_ptr<GatewayServer>> GatewayServer::open(runtime::Loop& loop, Options options, Handlers handlers) {
  // Anybody may knock; credentials decide.
  FH_ASSIGN(os::Fd socket, net::listen_unix(options.socket_path, 0666));
  return std::unique_ptr<GatewayServer>(
      new GatewayServer(loop, std::move(socket), std::move(options), std::move(handlers)));
}

void GatewayServer::on_grace_over(int) {
  settle();
  update();
}

void GatewayServer::settle() {
  if (std::exchange(may_open_, true)) return;
  if (handlers_.settled) handlers_.settled();
}

void GatewayServer::on_connection(int result) {
  if (result < 0) return;
  os::Fd connection(result);
  auto peer = net::peer_credentials(connection.get());
  if (!peer || (peer->uid != 0 && peer->uid != options_.allowed_uid)) {
    log_warning("agent", "a connection to gateway.sock by uid {} was refused", peer ? peer->uid : 0);
    return;
  }
  if (channel_) lose();
  channel_ = std::make_unique<net::MessageChannel>(
      loop_, std::move(connection),
      net::MessageChannel::Handlers{[this](net::MessageChannel::Message message) { on_message(std::move(message)); },
                                    [this](const Error&) { lose(); }},
      net::MessageChannel::Limits{.frame = {.descriptors = model::kMostListenersPerMessage}});
}

void GatewayServer::lose() {
  channel_.reset();
  if (!greeted_) return;
  greeted_ = false;
  handlers_.lost();
}

void GatewayServer::on_message(net::MessageChannel::Message message) {
  auto json = codec::Json::parse(message.bytes);
  Result<void> handled;
  if (!json) {
    handled = json.error();
  } else if ((*json)["type"].as_string() == "hello") {
    handled = handle_hello(message, *json);
  } else if ((*json)["type"].as_string() == "status") {
    auto status = codec::from_json<model::GatewayStatusMessage>(*json);
    if (status) {
      handlers_.acknowledged(status->status);
    } else {
      handled = status.error();
    }
  }
  if (handled) return;
  log_error("agent", "the link to the gateway is ended: {}", handled.error().message());
  lose();
}

Result<void> GatewayServer::handle_hello(net::MessageChannel::Message& message, const codec::Json& json) {
  FH_ASSIGN(model::GatewayHello hello, codec::from_json<model::GatewayHello>(json));
  if (hello.listeners.size() != message.fds.size())
    return Error(ErrorCode::kInvalid, "hello without the descriptors that it names");
  // What it holds and we do not: an agent before us opened it, and its queue may hold connections.
  for (size_t i = 0; i < hello.listeners.size(); ++i) {
    Key key{hello.listeners[i].address, hello.listeners[i].port};
    if (!listeners_.contains(key)) listeners_.emplace(key, Listener{hello.listeners[i], std::move(message.fds[i])});
  }
  if (!hello.last) return {};
  greeted_ = true;
  peer_ = model::DaemonStatus{"gateway", hello.pid, 0, loop_.clock().wall()};
  settle();
  grace_.cancel();
  reconcile_listeners();
  FH_TRY(send_listeners());
  send_snapshot();
  return {};
}

void GatewayServer::update() {
  bool changed = reconcile_listeners();
  if (!connected()) return;
  if (changed) {
    if (auto sent = send_listeners(); !sent) {
      log_error("agent", "the gateway is to dial again: {}", sent.error().message());
      return lose();
    }
  }
  send_snapshot();
}

void GatewayServer::on_retry(int) {
  retry_after_ = std::min(retry_after_ * 2, kMostRetry);
  update();
}

bool GatewayServer::reconcile_listeners() {
  if (!may_open_) return false;
  auto before = problems();
  std::map<Key, model::GatewayListener> wanted;
  for (model::GatewayListener& listener : wanted_listeners(handlers_.snapshot().routing)) {
    Key key{listener.address, listener.port};
    wanted.emplace(std::move(key), std::move(listener));
  }
  bool changed = std::erase_if(listeners_, [&](const auto& entry) { return !wanted.contains(entry.first); }) != 0;
  std::erase_if(problems_, [&](const auto& entry) { return !wanted.contains(entry.first); });
  for (auto& [key, listener] : wanted) {
    auto held = listeners_.find(key);
    if (held != listeners_.end()) {
      changed = changed || !(held->second.name == listener);
      held->second.name = listener;
      problems_.erase(key);
      continue;
    }
    auto socket = open_listener(listener);
    if (socket) {
      listeners_.emplace(key, Listener{listener, *std::move(socket)});
      problems_.erase(key);
      changed = true;
    } else {
      problems_[key] =
          fmt::format("{}: {}", listener.service.empty() ? "gateway" : "address of service " + listener.service,
                      socket.error().message());
    }
  }
  if (problems_.empty()) retry_after_ = kFirstRetry;
  if (!problems_.empty()) retry_.start(retry_after_);
  if (problems() != before) handlers_.problems_changed();
  return changed;
}

Result<void> GatewayServer::send_listeners() {
  model::GatewayListeners part;
  std::vector<os::Fd> fds;
  auto flush = [&](bool last) {
    part.last = last;
    auto sent = channel_->send(codec::to_json(part).dump(), std::move(fds));
    part.listeners.clear();
    fds.clear();
    return sent;
  };
  for (const auto& [key, listener] : listeners_) {
    os::Fd copy(fcntl(listener.socket.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) {
      // A list without it would make the gateway close it.
      return errno_error("cannot copy a listener for the gateway", errno);
    }
    if (fds.size() == model::kMostListenersPerMessage) FH_TRY(flush(false));
    part.listeners.push_back(listener.name);
    fds.push_back(std::move(copy));
  }
  return flush(true);
}

void GatewayServer::send_snapshot() {
  model::GatewaySnapshotMessage message;
  message.snapshot = handlers_.snapshot();
  auto sent = channel_->send(codec::to_json(message).dump());
  if (!sent) log_error("agent", "cannot send the gateway its snapshot: {}", sent.error().message());
}

std::vector<std::string> GatewayServer::problems() const {
  std::vector<std::string> out;
  for (const auto& [key, problem] : problems_) out.push_back(problem);
  return out;
}

std::vector<std::string> GatewayServer::unreachable() const {
  std::vector<std::string> out;
  for (const model::Listen& listen : handlers_.snapshot().routing.gateway.http) {
    auto found = problems_.find({listen.address, listen.port});
    if (found != problems_.end()) out.push_back(found->second);
  }
  return out;
}

}  // namespace freehold::agent
