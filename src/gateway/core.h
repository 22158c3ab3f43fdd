// Core: one thread's share of the gateway: its loop, its clients, its connections to upstreams, its counts.
//
// Nothing here is shared with another core but the compiled RouteTable, which never changes, and Counters, which are
// read from outside. Other threads reach a core by loop().post(). Which core accepts a connection is the kernel's
// choice and not an even one, so a core that has more connections than another hands a new one over to it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/access_log.h"
#include "gateway/buffer.h"
#include "gateway/counters.h"
#include "gateway/endpoint.h"
#include "gateway/options.h"
#include "gateway/outside_pool.h"
#include "gateway/route_table.h"
#include "os/random.h"
#include "runtime/stream.h"

namespace freehold::gateway {

class ClientConnection;
class Relay;

struct CoreOptions {
  Limits limits;
  runtime::Backend backend = runtime::Backend::kAutomatic;
  std::string access_log;  // path, or empty for none
  net::ResolverOptions resolver;
  uint32_t index = 0;
  // Called on the core's thread: after a table was applied, and when an endpoint that does not accept has nothing in
  // flight any more. Instance -> requests and tunnels in flight, of endpoints that do not accept.
  std::function<void(uint64_t revision, std::map<std::string, uint64_t> draining)> on_status;
};

// A listening socket that a core accepts from. The descriptor stays the gateway's.
struct CoreListener {
  int fd = -1;
  std::string service;  // an internal address of that service, or empty: routed by host and path
  bool operator==(const CoreListener&) const = default;
};

class Core final : public PoolHost {
 public:
  static Result<std::unique_ptr<Core>> create(CoreOptions options);
  ~Core();

  // ---- from the core's thread
  // Until loop().stop(); then ends what is left, on this thread too: a ring obeys only the thread that used it.
  void run();
  void apply(std::shared_ptr<const RouteTable> table);
  void set_listeners(std::vector<CoreListener> listeners);
  // The others that accept from the same sockets; they must live as long as any of them runs.
  void set_peers(std::vector<Core*> peers) { peers_ = std::move(peers); }
  // No new connections or requests; calls `done` when the last one has ended, or the time is over.
  void drain(Duration most, std::function<void()> done);

  // ---- for the connections
  runtime::Loop& loop() override { return *loop_; }
  const Limits& limits() const override { return options_.limits; }
  BufferPool& buffers() { return buffers_; }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  AccessLog* access_log() { return access_log_.get(); }
  const RouteTable* table() const { return table_.get(); }
  ServicePool& pool(uint32_t index) { return *pools_[index]; }
  size_t& channels() { return channels_; }
  bool draining() const { return draining_; }
  // For building one head at a time.
  std::span<char> scratch() { return scratch_; }
  // For a request's path where it has to be rewritten.
  std::string& path_buffer() { return path_buffer_; }
  std::string_view date_line();
  WallTime wall();
  void make_request_id(std::array<char, 32>& id);

  void on_upstream_idle() override;
  void on_drained() override;
  void joined(ClientConnection& client);
  void joined(Relay& relay);
  void left(ClientConnection& client);
  void left(Relay& relay);
  // The most recently idle last: the first is closed when there is no room.
  List<ClientConnection>& idle_clients() { return idle_clients_; }
  List<ClientConnection>& busy_clients() { return busy_clients_; }

 private:
  struct Listener;
  Core(CoreOptions options, std::unique_ptr<runtime::Loop> loop);
  void accepted(const std::string& service, int fd);
  void admit(const std::string& service, os::Fd socket);
  Core& least_loaded();
  uint64_t load() const { return counters_.connections.get() + handed_over_.load(std::memory_order_relaxed); }
  bool make_room();
  void close_everything();
  void finish();
  void check_drained();
  void report();
  void refresh_time();
  net::Resolver* resolver();
  void on_sweep(int result);
  void on_drain_over(int result);

  CoreOptions options_;
  std::unique_ptr<runtime::Loop> loop_;
  Counters counters_;
  BufferPool buffers_;
  size_t channels_ = 0;
  std::unique_ptr<AccessLog> access_log_;
  std::shared_ptr<const RouteTable> table_;
  std::unordered_map<std::string, std::unique_ptr<ServicePool>> pools_by_name_;
  std::unique_ptr<net::Resolver> resolver_;  // once a name has to be resolved
  std::unordered_map<std::string, std::unique_ptr<OutsidePool>> outside_;
  std::vector<ServicePool*> pools_;  // by the table's index
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Core*> peers_;
  std::atomic<uint64_t> handed_over_{0};  // connections on their way here from other cores
  List<ClientConnection> idle_clients_;
  List<ClientConnection> busy_clients_;
  List<Relay> relays_;
  runtime::Timer sweep_;
  runtime::Timer drain_over_;
  bool draining_ = false;
  bool finished_ = false;
  std::function<void()> drained_;

  MonotonicTime time_read_{};
  WallTime wall_{};
  std::string date_line_;
  std::string path_buffer_;
  std::array<uint64_t, 2> id_state_{};
  std::array<char, kHeadroom + kBufferBytes> scratch_;
};

}  // namespace freehold::gateway
