// Endpoint and ServicePool: one core's view of where a service's requests can go.
//
// A pool picks an endpoint per request (round-robin, or fewest requests in flight on this core), leaving out those that
// do not accept and, for a moment, those whose connection just failed. Requests for which there is none wait in the
// pool's queue, because an instance that is missing is most likely being restarted; they are woken when that changes.
//
// An endpoint keeps connections for reuse, the last used first. It lives as long as a connection refers to it; when it
// leaves the snapshot, idle connections close and what still runs on it is cut. Threads: the core's own.
#pragma once

#include <netinet/in.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/intrusive_list.h"
#include "gateway/options.h"
#include "model/snapshot.h"
#include "runtime/timer.h"

namespace freehold::gateway {

class Upstream;
class ServicePool;

struct Address {
  sockaddr_in6 storage{};  // large enough for both families
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool operator==(const Address& other) const;
  static Address loopback(uint16_t port);
};

class Endpoint {
 public:
  Endpoint(ServicePool& pool, std::string instance, Address address, uint32_t weight);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const std::string& instance() const { return instance_; }
  const Address& address() const { return address_; }
  uint32_t in_flight() const { return in_flight_; }
  runtime::Loop& loop() const { return loop_; }
  bool accepting() const { return accepting_; }
  bool usable(MonotonicTime now) const { return accepting_ && paused_until_ <= now; }
  // After a connection failed: no requests for a moment.
  void pause(MonotonicTime until);
  void begin_request() { ++in_flight_; }
  void end_request();

  // A kept connection without a request, or null.
  Upstream* take_idle();

 private:
  friend class ServicePool;
  friend class Upstream;
  void close_idle();
  // It left the snapshot: ends everything on it, and frees itself when the last connection is gone.
  void cut();
  void free_if_unused();

  runtime::Loop& loop_;
  ServicePool* pool_;  // null once it left the snapshot
  std::string instance_;
  Address address_;
  uint32_t weight_;
  int64_t credit_ = 0;  // of weighted round-robin
  bool accepting_ = true;
  bool cutting_ = false;
  uint32_t in_flight_ = 0;
  MonotonicTime paused_until_{};
  List<Upstream> idle_;  // the most recently used first
  size_t idle_count_ = 0;
  List<Upstream> busy_;
};

// A request, or a relayed connection, that waits for an endpoint.
class Waiter : public ListNode<Waiter> {
 public:
  virtual void on_endpoint_available() = 0;

 protected:
  ~Waiter() = default;
};

// What a pool asks of its core.
class PoolHost {
 public:
  virtual runtime::Loop& loop() = 0;
  virtual const Limits& limits() const = 0;
  // A connection was kept: close_idle_since() is to be called now and then.
  virtual void on_upstream_idle() = 0;
  // An endpoint that takes no new requests has none any more.
  virtual void on_drained() = 0;

 protected:
  ~PoolHost() = default;
};

class ServicePool {
 public:
  ServicePool(PoolHost& host, std::string name);
  ServicePool(const ServicePool&) = delete;
  ServicePool& operator=(const ServicePool&) = delete;
  ~ServicePool();

  const std::string& name() const { return name_; }
  PoolHost& host() { return host_; }

  struct Place {
    std::string instance;
    Address address;
    bool accepting = true;
    uint32_t weight = 1;
  };
  // Makes the endpoints be these; an endpoint with the same instance and address stays as it is.
  void set_endpoints(const std::vector<Place>& places);
  const std::vector<std::unique_ptr<Endpoint>>& endpoints() const { return endpoints_; }

  // Null if none can be used right now.
  Endpoint* pick(model::Balance balance);
  // False if too many wait already.
  bool enqueue(Waiter& waiter);
  void dequeue(Waiter& waiter);

  // Closes kept connections that nobody used since `before`; true if any are left.
  bool close_idle_since(MonotonicTime before);

 private:
  friend class Endpoint;
  friend class Upstream;
  Endpoint* pick_round_robin(MonotonicTime now);
  void wake_waiters();
  void on_pause_over(int result);

  PoolHost& host_;
  std::string name_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  size_t next_ = 0;
  bool weighted_ = false;
  List<Waiter> waiters_;
  size_t waiting_ = 0;
  bool closing_ = false;  // the service is gone: nobody waits for it
  runtime::Timer pause_over_;
};

}  // namespace freehold::gateway
