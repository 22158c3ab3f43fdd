#include "gateway/core.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/log.h"
#include "gateway/client_connection.h"
#include "gateway/relay.h"
#include "http/date.h"

namespace freehold::gateway {
namespace {

constexpr Duration kTimeRefresh = std::chrono::milliseconds(250);
constexpr Duration kSweep = std::chrono::seconds(5);

}  // namespace

struct Core::Listener {
  Listener(Core& owner, CoreListener listener)
      : core(owner),
        what(std::move(listener)),
        acceptor(owner.loop(), what.fd, runtime::complete<&Listener::on_accepted>(this)) {}
  void on_accepted(int result) { core.accepted(what.service, result); }
  Core& core;
  CoreListener what;
  runtime::Acceptor acceptor;
};

Result<std::unique_ptr<Core>> Core::create(CoreOptions options) {
  FH_ASSIGN(auto loop, runtime::Loop::create(options.backend));
  return std::unique_ptr<Core>(new Core(std::move(options), std::move(loop)));
}

Core::Core(CoreOptions options, std::unique_ptr<runtime::Loop> loop)
    : options_(std::move(options)),
      loop_(std::move(loop)),
      buffers_(options_.limits.buffers),
      sweep_(*loop_, runtime::complete<&Core::on_sweep>(this)),
      drain_over_(*loop_, runtime::complete<&Core::on_drain_over>(this)) {
  if (!options_.access_log.empty()) {
    access_log_ = std::make_unique<AccessLog>(*loop_, counters_, AccessLog::Options{.path = options_.access_log});
  }
  id_state_ = {os::system_random().next(), os::system_random().next()};
  table_ = RouteTable::compile({});
  refresh_time();
}

Core::~Core() { finish(); }

void Core::run() {
  loop_->run();
  finish();
}

void Core::finish() {
  if (std::exchange(finished_, true)) return;
  listeners_.clear();
  close_everything();
  outside_.clear();
  resolver_.reset();
  pools_.clear();
  pools_by_name_.clear();
  // What was closed is freed when the loop has told it so.
  while (channels_ > 0) loop_->run_once(Duration::zero());
}

void Core::apply(std::shared_ptr<const RouteTable> table) {
  std::vector<ServicePool*> pools;
  std::unordered_map<std::string, std::unique_ptr<ServicePool>> by_name;
  std::unordered_map<std::string, std::unique_ptr<OutsidePool>> outside;
  for (const PoolSpec& spec : table->pools()) {
    std::unique_ptr<ServicePool>& pool = by_name[spec.name];
    if (auto known = pools_by_name_.find(spec.name); known != pools_by_name_.end()) {
      pool = std::move(known->second);
    } else {
      pool = std::make_unique<ServicePool>(*this, spec.name);
    }
    pools.push_back(pool.get());
    if (!spec.outside) continue;
    // The name says all of what it is made of: a known one need not be set up again.
    if (auto known = outside_.find(spec.name); known != outside_.end()) {
      outside[spec.name] = std::move(known->second);
    } else if (net::Resolver* names = resolver()) {
      outside[spec.name] = std::make_unique<OutsidePool>(*names, *pool, spec.upstreams);
    }
  }
  // First everything refers to the new table; then endpoints that left are cut, whose requests look for others there.
  outside_.swap(outside);
  pools_by_name_.swap(by_name);
  pools_ = std::move(pools);
  table_ = std::move(table);
  for (size_t i = 0; i < pools_.size(); ++i) {
    const PoolSpec& spec = table_->pools()[i];
    if (spec.outside) continue;
    std::vector<ServicePool::Place> places;
    places.reserve(spec.endpoints.size());
    for (const model::Endpoint& endpoint : spec.endpoints) {
      places.push_back({endpoint.instance, Address::loopback(endpoint.port), endpoint.accepting, 1});
    }
    pools_[i]->set_endpoints(places);
  }
  outside.clear();
  std::erase_if(by_name, [](const auto& entry) { return entry.second == nullptr; });
  by_name.clear();
  report();
}

net::Resolver* Core::resolver() {
  if (!resolver_) {
    auto created = net::Resolver::create(*loop_, options_.resolver);
    if (!created) {
      log_error("gateway", "outside upstreams cannot be resolved: {}", created.error().message());
      return nullptr;
    }
    resolver_ = *std::move(created);
  }
  return resolver_.get();
}

void Core::set_listeners(std::vector<CoreListener> listeners) {
  std::erase_if(listeners_, [&listeners](const std::unique_ptr<Listener>& listener) {
    return std::ranges::find(listeners, listener->what) == listeners.end();
  });
  for (CoreListener& listener : listeners) {
    bool known = std::ranges::any_of(
        listeners_, [&listener](const std::unique_ptr<Listener>& other) { return other->what == listener; });
    if (known || draining_) continue;
    // Accepted sockets inherit it, which saves a call for each.
    const int on = 1;
    ::setsockopt(listener.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    listeners_.push_back(std::make_unique<Listener>(*this, std::move(listener)));
  }
}

void Core::joined(ClientConnection& client) {
  counters_.connections.add();
  busy_clients_.push_back(client);
}

void Core::joined(Relay& relay) {
  counters_.connections.add();
  relays_.push_back(relay);
}

void Core::left(ClientConnection& client) {
  counters_.connections.subtract();
  client.unlink();
  check_drained();
}

void Core::left(Relay& relay) {
  counters_.connections.subtract();
  relay.ListNode<Relay>::unlink();
  check_drained();
}

void Core::drain(Duration most, std::function<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  listeners_.clear();
  while (ClientConnection* idle = idle_clients_.front()) idle->close();
  drain_over_.start(most);
  check_drained();
}

void Core::check_drained() {
  if (!draining_ || counters_.connections.get() > 0 || !drained_) return;
  drain_over_.cancel();
  if (access_log_) access_log_->flush();
  loop_->post(std::exchange(drained_, nullptr));
}

void Core::on_drain_over(int /*result*/) { close_everything(); }

void Core::close_everything() {
  draining_ = true;
  while (ClientConnection* client = idle_clients_.front()) client->close();
  while (ClientConnection* client = busy_clients_.front()) client->close();
  while (Relay* relay = relays_.front()) relay->close();
}

void Core::on_upstream_idle() {
  if (!sweep_.armed()) sweep_.start(kSweep);
}

void Core::on_sweep(int /*result*/) {
  const MonotonicTime before = loop_->now() - options_.limits.upstream_idle;
  bool left = false;
  for (auto& [name, pool] : pools_by_name_) left = pool->close_idle_since(before) || left;
  if (left) sweep_.start(kSweep);
}

void Core::on_drained() { report(); }

void Core::report() {
  if (!options_.on_status) return;
  std::map<std::string, uint64_t> draining;
  for (const auto& [name, pool] : pools_by_name_) {
    for (const auto& endpoint : pool->endpoints()) {
      if (!endpoint->accepting()) draining[endpoint->instance()] += endpoint->in_flight();
    }
  }
  options_.on_status(table_->revision(), std::move(draining));
}

void Core::refresh_time() {
  time_read_ = loop_->now();
  wall_ = loop_->clock().wall();
  const auto date = http::format_date(wall_);
  date_line_ = "Date: ";
  date_line_.append(date.data(), date.size());
  date_line_ += "\r\n";
}

std::string_view Core::date_line() {
  if (loop_->now() - time_read_ >= kTimeRefresh) refresh_time();
  return date_line_;
}

WallTime Core::wall() {
  if (loop_->now() - time_read_ >= kTimeRefresh) refresh_time();
  return wall_ + (loop_->now() - time_read_);
}

void Core::make_request_id(std::array<char, 32>& id) {
  // Two streams of SplitMix64, seeded at random: unique, and no secret.
  constexpr std::string_view kDigits = "0123456789abcdef";
  char* out = id.data();
  for (uint64_t& state : id_state_) {
    state += 0x9e3779b97f4a7c15;
    uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    for (int shift = 60; shift >= 0; shift -= 4) *out++ = kDigits[mixed >> shift & 15];
  }
}

}  // namespace freehold::gateway
