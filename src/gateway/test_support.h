// What the tests of this module share: a core on a thread of its own, a client and scripted upstreams on blocking
// sockets.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/core.h"

namespace freehold::gateway::test {

// One end of a connection, blocking, with a time limit on everything so that no test hangs.
class Peer {
 public:
  explicit Peer(os::Fd socket);
  static Peer dial(uint16_t port);
  static bool connect(int fd, uint16_t port);

  bool write(std::string_view bytes);
  void write_slowly(std::string_view bytes, size_t piece);  // each piece in a packet of its own
  // Reads on until what was read (since the last take) contains `marker`, and takes up to its end. Short at the end of
  // the stream.
  std::string read_until(std::string_view marker);
  std::string read_head() { return read_until("\r\n\r\n"); }
  std::string read_exactly(size_t count);
  std::string read_all();  // to the end of the stream
  // One response: head, and the body that its Content-Length or chunks tell of, both as they came.
  struct Response {
    int status = 0;
    std::string head;
    std::string body;  // without framing
  };
  Response read_response(bool head_only = false);
  Response ask(std::string_view request);
  bool ended();  // the other side has closed (waits for it)
  bool was_reset() const { return reset_; }
  bool has_data(int wait_ms);
  void shutdown_send();
  void close();
  void reset();      // closes with a reset
  void interrupt();  // ends what another thread reads or writes here; any thread, also when it is closed already

 private:
  bool fill();
  os::Fd socket_;
  std::unique_ptr<std::mutex> closing_ = std::make_unique<std::mutex>();  // interrupt() beside close()
  std::string buffer_;
  bool reset_ = false;
};

// Listens on 127.0.0.1 and runs `script` for every connection on a thread of its own.
class FakeUpstream {
 public:
  using Script = std::function<void(Peer& peer, int number)>;  // number: of the connection, from 0
  explicit FakeUpstream(Script script);
  ~FakeUpstream();
  uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  // Stops to listen: further connections are refused.
  void stop_listening();

 private:
  void accept_all();
  Script script_;
  os::Fd listener_;
  os::Fd reservation_;  // keeps the port when nobody listens on it, or another program's test might get it
  uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Peer>> peers_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

// Answers every request with 200 and `body`, keeping the connection.
FakeUpstream::Script answer_always(std::string body);

std::pair<os::Fd, uint16_t> listen_loopback();
std::string folder();  // a new temporary folder

// The engines that a test is to be run on.
std::vector<runtime::Backend> backends();
std::string backend_name(runtime::Backend backend);

class TestCore {
 public:
  explicit TestCore(Limits limits = {}, runtime::Backend backend = runtime::Backend::kEpoll,
                    std::string access_log = {}, net::ResolverOptions resolver = {});
  ~TestCore();

  // Waits until it is served.
  void apply(const model::GatewaySnapshot& snapshot);
  // One service "web" behind every host and path.
  void serve(const std::vector<model::Endpoint>& endpoints);
  uint16_t port() const { return port_; }
  uint16_t listen_for(const std::string& service);
  Peer dial() const { return Peer::dial(port_); }
  Core& core() { return *core_; }
  const Counters& counters() const { return core_->counters(); }
  void on_core(std::function<void()> task);  // runs it on the core's thread and waits
  std::map<std::string, uint64_t> draining();

 private:
  std::unique_ptr<Core> core_;
  std::thread thread_;
  std::vector<std::pair<os::Fd, CoreListener>> listeners_;
  uint16_t port_ = 0;
  uint64_t revision_ = 0;
  std::mutex mutex_;
  std::map<std::string, uint64_t> draining_;
};

model::GatewaySnapshot snapshot_of(const std::vector<model::Endpoint>& endpoints);
model::PathRule to_service(std::string pattern, std::string service);
// Waits until `condition` holds; false after ten seconds.
bool eventually(const std::function<bool()>& condition);

}  // namespace freehold::gateway::test
