#include "control/node_link.h"

#include <unistd.h>

#include "base/log.h"
#include "control/controller.h"
#include "net/connect.h"
#include "net/listen.h"

namespace freehold::control {

NodeLink::NodeLink(runtime::Loop& loop, os::Fd socket) : loop_(loop), socket_(std::move(socket)) {}
NodeLink::~NodeLink() = default;

Result<std::unique_ptr<NodeLink>> NodeLink::open(runtime::Loop& loop, const std::string& socket_path) {
  FH_ASSIGN(os::Fd socket, net::listen_unix(socket_path, 0600));
  return std::unique_ptr<NodeLink>(new NodeLink(loop, std::move(socket)));
}

void NodeLink::serve(Controller& controller) {
  controller_ = &controller;
  acceptor_ =
      std::make_unique<runtime::Acceptor>(loop_, socket_.get(), runtime::complete<&NodeLink::on_connection>(this));
}

void NodeLink::on_connection(int result) {
  if (result < 0) return;
  os::Fd connection(result);
  auto peer = net::peer_credentials(connection.get());
  if (!peer || (peer->uid != 0 && peer->uid != geteuid())) {
    log_warning("control", "a connection to control.sock by uid {} was refused", peer ? peer->uid : 0);
    return;
  }
  greeted_ = false;
  channel_ = std::make_unique<net::MessageChannel>(
      loop_, std::move(connection),
      net::MessageChannel::Handlers{[this](const net::MessageChannel::Message& message) { on_message(message); },
                                    [this](const Error& error) { on_closed(error); }});
}

void NodeLink::on_message(const net::MessageChannel::Message& message) {
  auto decoded = link::decode(message.bytes);
  auto handled = decoded ? handle(*decoded) : Result<void>(decoded.error());
  if (handled) return;
  log_warning("control", "the agent said something that cannot be taken: {}", handled.error().message());
  on_closed(handled.error());
}

Result<void> NodeLink::handle(const link::Message& message) {
  if (message.type == link::kHello) {
    FH_ASSIGN(link::Hello hello, codec::from_json<link::Hello>(message.body));
    FH_TRY(link::agree(hello));
    greeted_ = true;
    controller_->node_connected();
    return {};
  }
  if (!greeted_) return Error(ErrorCode::kInvalid, "a message before hello");
  if (message.type == link::kObserved) {
    FH_ASSIGN(model::NodeObserved observed, codec::from_json<model::NodeObserved>(message.body));
    controller_->node_observed(std::move(observed));
  } else if (message.type == link::kEvents) {
    FH_ASSIGN(link::EventBatch batch, codec::from_json<link::EventBatch>(message.body));
    if (batch.events.empty()) return {};
    auto written = controller_->node_events(batch.events);
    // Not written, not acknowledged: the agent keeps them and sends them again.
    if (!written) {
      log_error("control", "events of the node could not be written: {}", written.error().message());
      return {};
    }
    send(link::encode(link::kEventsTaken, link::EventsTaken{batch.events.back().sequence}));
  }
  return {};
}

void NodeLink::on_closed(const Error&) {
  channel_.reset();
  if (greeted_) controller_->node_lost();
  greeted_ = false;
}

void NodeLink::send(std::string bytes) {
  if (!channel_ || !greeted_) return;
  auto sent = channel_->send(std::move(bytes));
  if (!sent) log_warning("control", "cannot tell the agent: {}", sent.error().message());
}

void NodeLink::want(const model::NodeDesired& desired) { send(link::encode(link::kDesired, desired)); }
void NodeLink::finish() { send(link::encode(link::kFinish, codec::Json::object())); }

}  // namespace freehold::control
