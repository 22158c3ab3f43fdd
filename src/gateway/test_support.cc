#include "gateway/test_support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <future>

#include "base/text.h"

namespace freehold::gateway::test {

namespace {

// A ring's completions interrupt the thread that made it, and a call with a time limit is not restarted by itself.
ssize_t receive(int fd, char* bytes, size_t most) {
  for (;;) {
    const ssize_t got = ::recv(fd, bytes, most, 0);
    if (got >= 0 || errno != EINTR) return got;
  }
}

}  // namespace

Peer::Peer(os::Fd socket) : socket_(std::move(socket)) {
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Peer Peer::dial(uint16_t port) {
  os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connect(socket.get(), port)) std::abort();
  return Peer(std::move(socket));
}

bool Peer::connect(int fd, uint16_t port) {
  const Address address = Address::loopback(port);
  if (::connect(fd, address.get(), address.length) == 0) return true;
  if (errno != EINTR) return false;
  // It goes on; see receive().
  pollfd poll{.fd = fd, .events = POLLOUT, .revents = 0};
  int error = 0;
  socklen_t length = sizeof(error);
  while (::poll(&poll, 1, -1) < 0 && errno == EINTR) {
  }
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

bool Peer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void Peer::write_slowly(std::string_view bytes, size_t piece) {
  while (!bytes.empty()) {
    write(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    // Not a wait for anything: it only lets the other side see the pieces apart, most of the time.
    std::this_thread::yield();
  }
}

bool Peer::fill() {
  char bytes[65536];
  const ssize_t got = receive(socket_.get(), bytes, sizeof(bytes));
  if (got < 0 && errno == ECONNRESET) reset_ = true;
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(got));
  return true;
}

std::string Peer::read_until(std::string_view marker) {
  for (;;) {
    const size_t at = buffer_.find(marker);
    if (at != std::string::npos) {
      std::string taken = buffer_.substr(0, at + marker.size());
      buffer_.erase(0, at + marker.size());
      return taken;
    }
    if (!fill()) return std::exchange(buffer_, {});
  }
}

std::string Peer::read_exactly(size_t count) {
  while (buffer_.size() < count && fill()) {
  }
  std::string taken = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return taken;
}

std::string Peer::read_all() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

Peer::Response Peer::read_response(bool head_only) {
  Response response;
  response.head = read_head();
  if (response.head.size() > 12) response.status = std::atoi(response.head.c_str() + 9);
  const std::string lower = to_lower(response.head);
  if (head_only || response.status == 304 || response.status == 204 || response.status < 200) return response;
  if (const size_t at = lower.find("content-length: "); at != std::string::npos) {
    response.body = read_exactly(static_cast<size_t>(std::atoll(lower.c_str() + at + 16)));
  } else if (lower.find("transfer-encoding: chunked") != std::string::npos) {
    for (;;) {
      const std::string line = read_until("\r\n");
      const size_t size = std::strtoul(line.c_str(), nullptr, 16);
      response.body += read_exactly(size);
      const std::string end = read_until("\r\n");
      if (size == 0 || end.empty()) break;
    }
  } else {
    response.body = read_all();
  }
  return response;
}

Peer::Response Peer::ask(std::string_view request) {
  write(request);
  return read_response(request.starts_with("HEAD "));
}

bool Peer::ended() {
  char byte = 0;
  const ssize_t got = receive(socket_.get(), &byte, 1);
  if (got < 0 && errno == ECONNRESET) reset_ = true;
  return got == 0 || reset_;
}

bool Peer::has_data(int wait_ms) {
  pollfd poll{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  return !buffer_.empty() || ::poll(&poll, 1, wait_ms) > 0;
}

void Peer::shutdown_send() { ::shutdown(socket_.get(), SHUT_WR); }

void Peer::close() {
  const std::scoped_lock lock(*closing_);
  socket_.reset();
}

void Peer::interrupt() {
  const std::scoped_lock lock(*closing_);
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
}

void Peer::reset() {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  close();
}

namespace {

os::Fd bind_loopback(uint16_t port) {
  os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  const Address address = Address::loopback(port);
  if (::bind(socket.get(), address.get(), address.length) != 0) std::abort();
  return socket;
}

}  // namespace

std::pair<os::Fd, uint16_t> listen_loopback() {
  os::Fd socket = bind_loopback(0);
  if (::listen(socket.get(), 128) != 0) std::abort();
  sockaddr_in bound{};
  socklen_t length = sizeof(bound);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  return {std::move(socket), ntohs(bound.sin_port)};
}

std::string folder() {
  std::string path = "/tmp/freehold-gateway-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) std::abort();
  return path;
}

FakeUpstream::FakeUpstream(Script script) : script_(std::move(script)) {
  std::tie(listener_, port_) = listen_loopback();
  reservation_ = bind_loopback(port_);
  accepting_ = std::thread([this] { accept_all(); });
}

void FakeUpstream::accept_all() {
  for (;;) {
    os::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    auto peer = std::make_shared<Peer>(std::move(socket));
    const int number = connections_++;
    const std::scoped_lock lock(mutex_);
    peers_.push_back(peer);
    threads_.emplace_back([this, peer, number] {
      script_(*peer, number);
      peer->interrupt();
    });
  }
}

void FakeUpstream::stop_listening() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  if (accepting_.joinable()) accepting_.join();
  listener_.reset();
}

FakeUpstream::~FakeUpstream() {
  stop_listening();
  for (auto& peer : peers_) peer->interrupt();
  for (auto& thread : threads_) thread.join();
}

FakeUpstream::Script answer_always(std::string body) {
  return [body](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  };
}

std::vector<runtime::Backend> backends() {
  std::vector<runtime::Backend> all = {runtime::Backend::kEpoll};
  if (runtime::Loop::create(runtime::Backend::kUring)) all.push_back(runtime::Backend::kUring);
  return all;
}

std::string backend_name(runtime::Backend backend) { return backend == runtime::Backend::kUring ? "uring" : "epoll"; }

TestCore::TestCore(Limits limits, runtime::Backend backend, std::string access_log, net::ResolverOptions resolver) {
  CoreOptions options;
  options.limits = limits;
  options.backend = backend;
  options.access_log = std::move(access_log);
  options.resolver = std::move(resolver);
  options.on_status = [this](uint64_t, std::map<std::string, uint64_t> draining) {
    const std::scoped_lock lock(mutex_);
    draining_ = std::move(draining);
  };
  auto core = Core::create(std::move(options));
  if (!core) std::abort();
  core_ = *std::move(core);
  thread_ = std::thread([this] { core_->run(); });
  port_ = listen_for("");
}

TestCore::~TestCore() {
  core_->loop().stop();
  thread_.join();
  core_.reset();  // before the sockets that it listens on
}

uint16_t TestCore::listen_for(const std::string& service) {
  auto [socket, port] = listen_loopback();
  const int fd = socket.get();
  listeners_.emplace_back(std::move(socket), CoreListener{fd, service});
  std::vector<CoreListener> all;
  for (auto& [held, listener] : listeners_) all.push_back(listener);
  on_core([this, all] { core_->set_listeners(all); });
  return port;
}

void TestCore::on_core(std::function<void()> task) {
  std::promise<void> done;
  core_->loop().post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void TestCore::apply(const model::GatewaySnapshot& snapshot) {
  auto table = RouteTable::compile(snapshot);
  on_core([this, table] { core_->apply(table); });
}

void TestCore::serve(const std::vector<model::Endpoint>& endpoints) {
  model::GatewaySnapshot snapshot = snapshot_of(endpoints);
  snapshot.revision = ++revision_;
  apply(snapshot);
}

std::map<std::string, uint64_t> TestCore::draining() {
  const std::scoped_lock lock(mutex_);
  return draining_;
}

model::PathRule to_service(std::string pattern, std::string service) {
  model::PathRule rule;
  rule.prefix = pattern.ends_with("*");
  if (rule.prefix) pattern.pop_back();
  rule.pattern = std::move(pattern);
  rule.service = std::move(service);
  return rule;
}

model::GatewaySnapshot snapshot_of(const std::vector<model::Endpoint>& endpoints) {
  model::GatewaySnapshot snapshot;
  snapshot.routing.routes.push_back({"", {to_service("/*", "web")}});
  snapshot.routing.addresses["web"] = 1;
  snapshot.routing.speaks_http["web"] = true;
  snapshot.endpoints["web"] = endpoints;
  return snapshot;
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace freehold::gateway::test
