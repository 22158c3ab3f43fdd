#include "http/server_test_support.h"

#include <stdlib.h>

#include <thread>

#include "os/disk.h"

namespace freehold::http {

TemporaryFolder::TemporaryFolder() {
  const char* folder = getenv("TMPDIR");
  path_ = std::string(folder != nullptr ? folder : "/tmp") + "/freehold_http_XXXXXX";
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
}

TemporaryFolder::~TemporaryFolder() { EXPECT_TRUE(os::system_disk().remove_tree(path_)); }

struct ServerTest::LoopThread {
  explicit LoopThread(runtime::Loop& loop) : thread([&loop] { loop.run(); }) {}
  std::thread thread;
};

ServerTest::ServerTest() = default;
ServerTest::~ServerTest() = default;

void ServerTest::start(const ServerLimits& limits) {
  loop_ = *runtime::Loop::create(runtime::Backend::kAutomatic);
  server_ = std::make_unique<Server>(*loop_, handler_, limits);
  auto unix_socket = net::listen_unix(folder_ / "s", 0600);
  ASSERT_TRUE(unix_socket) << unix_socket.error().message();
  ASSERT_TRUE(server_->listen(*std::move(unix_socket)));
  auto tcp_socket = net::listen_tcp(net::SocketAddress::loopback(0));
  ASSERT_TRUE(tcp_socket) << tcp_socket.error().message();
  tcp_ = *net::SocketAddress::local_of(tcp_socket->get());
  ASSERT_TRUE(server_->listen(*std::move(tcp_socket)));
  thread_ = std::make_unique<LoopThread>(*loop_);
}

void ServerTest::stop(Duration drain) {
  if (thread_ == nullptr) return;
  loop_->post([this, drain] {
    handler_.kept.reset();
    server_->stop(drain, [this] { loop_->stop(); });
  });
  thread_->thread.join();
  thread_.reset();
  server_.reset();
}

void ServerTest::send(const os::Fd& socket, std::string_view bytes) {
  ASSERT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

std::string ServerTest::receive(const os::Fd& socket, std::string_view ending) {
  std::string all;
  std::array<char, 4096> buffer;
  while (ending.empty() || !all.ends_with(ending)) {
    ssize_t got = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    all.append(buffer.data(), static_cast<size_t>(got));
  }
  return all;
}

}  // namespace freehold::http
