// A server on a thread of its own with a handler that shows everything a handler can do. For the tests of this module.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sched.h>

#include <atomic>
#include <memory>
#include <string>

#include "http/blocking_client.h"
#include "http/server.h"
#include "net/connect.h"
#include "net/listen.h"

namespace freehold::http {

// Counts what it gets; refuses from the byte on that it is told to.
class CountingSink : public BodySink {
 public:
  CountingSink(std::shared_ptr<Exchange> exchange, std::atomic<int>& failures, uint64_t refuse_after)
      : exchange_(std::move(exchange)), failures_(failures), refuse_after_(refuse_after) {}
  Result<void> on_data(std::string_view bytes) override {
    count_ += bytes.size();
    if (bytes.find("abort") != std::string_view::npos) exchange_->abort();
    if (count_ > refuse_after_) return Error(ErrorCode::kExhausted, "the disk is full");
    return {};
  }
  void on_end() override { exchange_->respond_text(201, std::to_string(count_)); }
  void on_failed(const Error& error) override {
    ++failures_;
    if (error.message() == "the disk is full") exchange_->respond_text(507, error.message());
  }

 private:
  std::shared_ptr<Exchange> exchange_;
  std::atomic<int>& failures_;
  uint64_t refuse_after_;
  uint64_t count_ = 0;
};

class ShowingHandler : public Handler {
 public:
  void on_request(std::shared_ptr<Exchange> exchange) override {
    ++requests;
    const std::string path(exchange->head().path);
    if (path == "/echo") {
      exchange->collect_body(
          1000, [exchange](std::string body) { exchange->respond(response_of(200, "text/plain", std::move(body))); });
    } else if (path == "/upload" || path == "/full") {
      const uint64_t most = path == "/full" ? 100 : ~uint64_t{0};
      exchange->stream_body(uint64_t{1} << 30, std::make_unique<CountingSink>(exchange, failures, most));
    } else if (path == "/early") {
      early = exchange;
      exchange->stream_body(100, std::make_unique<CountingSink>(exchange, failures, 100));
      exchange->respond_text(200, "too early to tell");
    } else if (path == "/lines") {
      exchange->start({200, {{"Content-Type", "application/x-ndjson"}}, {}});
      write_lines(exchange, 0);
    } else if (path == "/follow") {
      exchange->start({200, {}, "first\n"});
      exchange->when_gone([this, exchange] { ++gone; });
    } else if (path == "/peer") {
      const auto& peer = exchange->peer();
      exchange->respond_text(200, peer.credentials ? std::to_string(peer.credentials->pid) : peer.address);
    } else if (path == "/never") {
      kept = exchange;
    } else if (path == "/inject") {
      exchange->respond({200, {{"X-Value", "a\r\nX-Evil: b"}}, "x"});
    } else if (path == "/nothing") {
      exchange->respond({204, {}, {}});
    } else {
      exchange->respond_text(200, "hello");
    }
  }

  static constexpr int kLines = 100000;
  static std::string line(int number) { return "line " + std::to_string(number) + " of many\n"; }

  std::atomic<int> requests = 0, failures = 0, gone = 0;
  std::shared_ptr<Exchange> kept;
  std::weak_ptr<Exchange> early;

 private:
  // Never more unsent than is allowed: goes on when the client has read.
  void write_lines(const std::shared_ptr<Exchange>& exchange, int from) {
    for (int i = from; i < kLines; ++i) {
      if (exchange->write(line(i))) continue;
      exchange->when_writable([this, exchange, i] { write_lines(exchange, i + 1); });
      return;
    }
    exchange->finish();
  }
};

class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

class ServerTest : public testing::Test {
 protected:
  ServerTest();
  ~ServerTest() override;

  // On a unix socket and on TCP.
  void start(const ServerLimits& limits = {});
  void stop(Duration drain);
  void TearDown() override { stop(std::chrono::milliseconds(100)); }

  net::SocketAddress unix_address() const { return *net::SocketAddress::unix_path(folder_ / "s"); }
  BlockingClient client() const { return {unix_address(), {}}; }

  os::Fd connect() const { return *net::connect_blocking(unix_address(), std::chrono::seconds(5)); }
  static void send(const os::Fd& socket, std::string_view bytes);
  // What arrives until `ending` does, or the connection ends.
  static std::string receive(const os::Fd& socket, std::string_view ending = {});
  // Conditions that another thread brings about.
  template <class Condition>
  static void wait_for(Condition holds) {
    const MonotonicTime deadline = os::system_clock().monotonic() + std::chrono::seconds(20);
    while (!holds()) {
      ASSERT_LT(os::system_clock().monotonic(), deadline) << "the awaited condition did not come";
      sched_yield();
    }
  }

  TemporaryFolder folder_;
  ShowingHandler handler_;
  std::unique_ptr<runtime::Loop> loop_;
  std::unique_ptr<Server> server_;
  net::SocketAddress tcp_;

 private:
  struct LoopThread;
  std::unique_ptr<LoopThread> thread_;
};

}  // namespace freehold::http
