#include "gateway/fake_agent.h"

#include <fcntl.h>

#include <cstdlib>

#include "net/listen.h"

namespace freehold::gateway {

FakeAgent::FakeAgent(const std::string& path) {
  auto loop = runtime::Loop::create(runtime::Backend::kEpoll);
  auto socket = net::listen_unix(path, 0600);
  if (!loop || !socket) std::abort();
  loop_ = *std::move(loop);
  socket_ = *std::move(socket);
  acceptor_ = std::make_unique<runtime::Acceptor>(*loop_, socket_.get(), runtime::complete<&FakeAgent::accepted>(this));
  thread_ = std::thread([this] { loop_->run(); });
}

FakeAgent::~FakeAgent() {
  loop_->post([this] {
    channel_.reset();
    acceptor_.reset();
    loop_->stop();
  });
  thread_.join();
}

void FakeAgent::accepted(int result) {
  if (result < 0) return;
  net::MessageChannel::Limits limits;
  limits.frame.descriptors = model::kMostListenersPerMessage;
  channel_ = std::make_unique<net::MessageChannel>(
      *loop_, os::Fd(result),
      net::MessageChannel::Handlers{[this](net::MessageChannel::Message message) { received(std::move(message)); },
                                    [](const Error&) {}},
      limits);
  if (!listeners_.empty()) tell();
}

void FakeAgent::received(net::MessageChannel::Message message) {
  auto json = codec::Json::parse(message.bytes);
  if (!json) std::abort();
  const std::scoped_lock lock(mutex_);
  if ((*json)["type"].as_string() == "hello") {
    model::GatewayHello part = codec::from_json<model::GatewayHello>(*json).value_or({});
    hello_parts_.insert(hello_parts_.end(), part.listeners.begin(), part.listeners.end());
    hello_descriptors_ += message.fds.size();
    if (!part.last) return;
    part.listeners = std::exchange(hello_parts_, {});
    hello_ = std::move(part);
  } else if ((*json)["type"].as_string() == "status") {
    status_ = codec::from_json<model::GatewayStatusMessage>(*json).value_or({}).status;
  }
  changed_.notify_all();
}

void FakeAgent::tell() {
  model::GatewayListeners part;
  std::vector<os::Fd> fds;
  auto flush = [&](bool last) {
    part.last = last;
    if (!channel_->send(codec::to_json(part).dump(), std::move(fds))) std::abort();
    part.listeners.clear();
    fds.clear();
  };
  for (const auto& [what, fd] : listeners_) {
    if (fds.size() == model::kMostListenersPerMessage) flush(false);
    part.listeners.push_back(what);
    fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }
  flush(true);
  model::GatewaySnapshotMessage snapshot;
  snapshot.snapshot = snapshot_;
  if (!channel_->send(codec::to_json(snapshot).dump())) std::abort();
}

void FakeAgent::set(std::vector<std::pair<model::GatewayListener, int>> listeners, model::GatewaySnapshot snapshot) {
  loop_->post([this, listeners = std::move(listeners), snapshot = std::move(snapshot)]() mutable {
    listeners_ = std::move(listeners);
    snapshot_ = std::move(snapshot);
    if (channel_ && !channel_->closed()) tell();
  });
}

std::optional<model::GatewayStatus> FakeAgent::wait_for(
    const std::function<bool(const model::GatewayStatus&)>& condition) {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, std::chrono::seconds(10), [&] { return status_ && condition(*status_); });
  return came ? status_ : std::nullopt;
}

std::optional<model::GatewayHello> FakeAgent::hello() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(10), [this] { return hello_.has_value(); });
  return hello_;
}

size_t FakeAgent::hello_descriptors() {
  const std::scoped_lock lock(mutex_);
  return hello_descriptors_;
}

}  // namespace freehold::gateway
