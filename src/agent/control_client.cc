#include "agent/control_client.h"

#include <algorithm>

#include "base/log.h"
#include "net/connect.h"

namespace freehold::agent {
namespace {

constexpr Duration kFirstWait = std::chrono::milliseconds(50);
constexpr Duration kLongestWait = std::chrono::seconds(2);
constexpr Duration kConnectLimit = std::chrono::milliseconds(200);  // a unix socket answers at once or not at all

}  // namespace

ControlClient::ControlClient(runtime::Loop& loop, Journal& journal, std::string socket_path, std::string boot_id,
                             Handlers handlers)
    : loop_(loop),
      journal_(journal),
      socket_path_(std::move(socket_path)),
      boot_id_(std::move(boot_id)),
      handlers_(std::move(handlers)),
      dial_timer_(loop, runtime::complete<&ControlClient::dial>(this)),
      tell_timer_(loop, runtime::complete<&ControlClient::tell_now>(this)),
      wait_(kFirstWait) {
  dial_timer_.start(Duration::zero());
}

ControlClient::~ControlClient() = default;

void ControlClient::dial(int) {
  auto address = net::SocketAddress::unix_path(socket_path_);
  auto socket = address ? net::connect_blocking(*address, kConnectLimit) : Result<os::Fd>(address.error());
  if (!socket) {
    retry();
    return;
  }
  if (auto credentials = net::peer_credentials(socket->get()))
    peer_ = model::DaemonStatus{"control", credentials->pid, 0, loop_.clock().wall()};
  channel_ = std::make_unique<net::MessageChannel>(
      loop_, *std::move(socket),
      net::MessageChannel::Handlers{[this](const net::MessageChannel::Message& message) { on_message(message); },
                                    [this](const Error&) {
                                      channel_.reset();
                                      retry();
                                    }});
  events_sent_ = 0;
  link::Hello hello;
  hello.role = "agent";
  hello.boot_id = boot_id_;
  send(link::encode(link::kHello, hello));
  tell();
}

void ControlClient::retry() {
  dial_timer_.start(wait_);
  wait_ = std::min(wait_ * 2, kLongestWait);
}

void ControlClient::on_message(const net::MessageChannel::Message& message) {
  wait_ = kFirstWait;  // it speaks our language: the next loss is a fresh one
  auto decoded = link::decode(message.bytes);
  auto handled = decoded ? handle(*decoded) : Result<void>(decoded.error());
  if (!handled) log_error("agent", "control said something that cannot be taken: {}", handled.error().message());
}

Result<void> ControlClient::handle(const link::Message& message) {
  if (message.type == link::kDesired) {
    FH_ASSIGN(model::NodeDesired desired, codec::from_json<model::NodeDesired>(message.body));
    handlers_.desired(std::move(desired));
    tell();
  } else if (message.type == link::kEventsTaken) {
    FH_ASSIGN(link::EventsTaken taken, codec::from_json<link::EventsTaken>(message.body));
    journal_.acknowledge(taken.sequence);
    if (!journal_.pending().empty()) tell();
  } else if (message.type == link::kFinish) {
    handlers_.finish();
  }
  return {};
}

void ControlClient::tell() {
  if (channel_ && !tell_timer_.armed()) tell_timer_.start(Duration::zero());
}

void ControlClient::tell_now(int) {
  if (!channel_) return;
  send_events();
  send(link::encode(link::kObserved, handlers_.observed()));
}

void ControlClient::send_events() {
  link::EventBatch batch;
  for (const model::NodeEvent& event : journal_.pending()) {
    if (event.sequence <= events_sent_) continue;
    if (batch.events.size() == link::EventBatch::kMost) break;
    batch.events.push_back(event);
  }
  if (batch.events.empty()) return;
  events_sent_ = batch.events.back().sequence;
  send(link::encode(link::kEvents, batch));
}

void ControlClient::send(std::string bytes) {
  if (!channel_) return;
  auto sent = channel_->send(std::move(bytes));
  if (!sent) log_warning("agent", "cannot tell control: {}", sent.error().message());
}

}  // namespace freehold::agent
