#include "gateway/agent_link.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "codec/fields.h"
#include "codec/json.h"
#include "net/connect.h"

namespace freehold::gateway {
namespace {

static_assert(model::kMostListenersPerMessage <= net::MessageChannel::kMostDescriptors);
constexpr Duration kFirstBackOff = std::chrono::milliseconds(50);
// Well under the time for which a new agent waits before it opens listeners by itself.
constexpr Duration kMostBackOff = std::chrono::milliseconds(500);

Result<os::Fd> dial_unix(const std::string& path) {
  FH_ASSIGN(auto address, net::SocketAddress::unix_path(path));
  FH_ASSIGN(os::Fd socket, net::create_stream_socket(address));
  sockaddr_storage storage{};
  const socklen_t length = address.to_kernel(storage);
  // A unix socket is connected at once or not at all.
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    return errno_error(fmt::format("cannot connect to the agent at {}", path), errno);
  }
  return socket;
}

}  // namespace

AgentLink::AgentLink(runtime::Loop& loop, std::string socket_path, Handlers handlers)
    : loop_(loop),
      path_(std::move(socket_path)),
      handlers_(std::move(handlers)),
      again_(loop, runtime::complete<&AgentLink::dial>(this)),
      back_off_(kFirstBackOff) {}

AgentLink::~AgentLink() = default;

void AgentLink::dial(int /*result*/) {
  auto socket = dial_unix(path_);
  if (!socket) return dial_later(socket.error());
  net::MessageChannel::Limits limits;
  limits.frame.descriptors = model::kMostListenersPerMessage;
  channel_ = std::make_unique<net::MessageChannel>(
      loop_, *std::move(socket),
      net::MessageChannel::Handlers{[this](net::MessageChannel::Message message) { received(std::move(message)); },
                                    [this](const Error& error) { dial_later(error); }},
      limits);
  parts_.clear();
  if (auto sent = send_hello(); !sent) return dial_later(sent.error());
  if (said_) log_info("gateway", "connected to the agent at {}", path_);
  said_ = false;
}

Result<void> AgentLink::send_hello() {
  std::vector<int> held;
  model::GatewayHello part = handlers_.hello(held);
  const std::vector<model::GatewayListener> all = std::exchange(part.listeners, {});
  size_t at = 0;
  do {
    const size_t end = std::min(all.size(), at + model::kMostListenersPerMessage);
    part.listeners.clear();
    std::vector<os::Fd> fds;
    for (; at < end; ++at) {
      os::Fd copy(::fcntl(held[at], F_DUPFD_CLOEXEC, 3));
      if (!copy) return errno_error("cannot pass the listeners to the agent", errno);
      part.listeners.push_back(all[at]);
      fds.push_back(std::move(copy));
    }
    part.last = at == all.size();
    FH_TRY(channel_->send(codec::to_json(part).dump(), std::move(fds)));
  } while (!part.last);
  return {};
}

void AgentLink::dial_later(const Error& why) {
  if (!said_) log_warning("gateway", "{}; serving on, dialling again", why.message());
  said_ = true;
  if (channel_) channel_->close();
  again_.start(back_off_);
  back_off_ = std::min(back_off_ * 2, kMostBackOff);
}

void AgentLink::send(const model::GatewayStatus& status) {
  if (!channel_ || channel_->closed()) return;
  model::GatewayStatusMessage message;
  message.status = status;
  if (auto sent = channel_->send(codec::to_json(message).dump()); !sent) dial_later(sent.error());
}

void AgentLink::received(net::MessageChannel::Message message) {
  // Only an agent that talks is one worth dialling quickly again.
  back_off_ = kFirstBackOff;
  auto json = codec::Json::parse(message.bytes);
  if (!json) return log_error("gateway", "the agent sent what is no JSON: {}", json.error().message());
  const std::string& type = (*json)["type"].as_string();
  if (type == "listeners") return received_listeners(*json, std::move(message.fds));
  if (type != "snapshot") return log_debug("gateway", "a message of type '{}' is not known here", type);
  auto snapshot = codec::from_json<model::GatewaySnapshotMessage>(*json);
  if (!snapshot) return log_error("gateway", "the agent's snapshot is refused: {}", snapshot.error().message());
  handlers_.snapshot(std::move(snapshot->snapshot));
}

void AgentLink::received_listeners(const codec::Json& json, std::vector<os::Fd> fds) {
  auto message = codec::from_json<model::GatewayListeners>(json);
  if (!message) return log_error("gateway", "the agent's listeners are refused: {}", message.error().message());
  if (message->listeners.size() != fds.size()) {
    return log_error("gateway", "the agent named {} listeners and passed {}", message->listeners.size(), fds.size());
  }
  for (size_t i = 0; i < fds.size(); ++i) {
    parts_.push_back({std::move(message->listeners[i]), std::move(fds[i])});
  }
  if (message->last) handlers_.listeners(std::exchange(parts_, {}));
}

}  // namespace freehold::gateway
