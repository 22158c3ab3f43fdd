#include "gateway/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "gateway/upstream.h"

namespace freehold::gateway {

bool Address::operator==(const Address& other) const {
  return length == other.length && std::memcmp(&storage, &other.storage, length) == 0;
}

Address Address::loopback(uint16_t port) {
  Address address;
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::memcpy(&address.storage, &in, sizeof(in));
  address.length = sizeof(in);
  return address;
}

Endpoint::Endpoint(ServicePool& pool, std::string instance, Address address, uint32_t weight)
    : loop_(pool.host().loop()), pool_(&pool), instance_(std::move(instance)), address_(address), weight_(weight) {}

void Endpoint::pause(MonotonicTime until) {
  paused_until_ = until;
  close_idle();
}

void Endpoint::end_request() {
  --in_flight_;
  if (in_flight_ == 0 && !accepting_ && pool_ != nullptr) pool_->host().on_drained();
}

Upstream* Endpoint::take_idle() {
  Upstream* upstream = idle_.front();
  if (upstream == nullptr) return nullptr;
  --idle_count_;
  upstream->idle_ = false;
  upstream->channel().ignore_readable();
  busy_.push_back(*upstream);
  return upstream;
}

void Endpoint::close_idle() {
  while (Upstream* upstream = idle_.front()) upstream->discard();
}

void Endpoint::free_if_unused() {
  if (pool_ == nullptr && !cutting_ && idle_.empty() && busy_.empty()) delete this;
}

void Endpoint::cut() {
  pool_ = nullptr;
  accepting_ = false;
  cutting_ = true;
  close_idle();
  // A user that is cut discards its connection, perhaps not at once: those are told once, and leave when they do.
  List<Upstream> told;
  while (Upstream* upstream = busy_.front()) {
    told.push_back(*upstream);
    upstream->user_->on_cut();
  }
  while (Upstream* upstream = told.front()) busy_.push_back(*upstream);
  cutting_ = false;
  free_if_unused();
}

ServicePool::ServicePool(PoolHost& host, std::string name)
    : host_(host),
      name_(std::move(name)),
      pause_over_(host.loop(), runtime::complete<&ServicePool::on_pause_over>(this)) {}

ServicePool::~ServicePool() {
  closing_ = true;
  std::vector<std::unique_ptr<Endpoint>> last = std::move(endpoints_);
  endpoints_.clear();
  for (auto& endpoint : last) endpoint.release()->cut();
  wake_waiters();
}

void ServicePool::set_endpoints(const std::vector<Place>& places) {
  std::vector<std::unique_ptr<Endpoint>> before = std::move(endpoints_);
  endpoints_.clear();
  weighted_ = false;
  for (const Place& place : places) {
    auto same = std::ranges::find_if(before, [&place](const std::unique_ptr<Endpoint>& endpoint) {
      return endpoint && endpoint->instance_ == place.instance && endpoint->address_ == place.address;
    });
    std::unique_ptr<Endpoint> endpoint;
    if (same != before.end()) {
      endpoint = std::move(*same);
      endpoint->weight_ = place.weight;
    } else {
      endpoint = std::make_unique<Endpoint>(*this, place.instance, place.address, place.weight);
    }
    endpoint->accepting_ = place.accepting;
    if (!place.accepting) endpoint->close_idle();
    if (place.weight != 1) weighted_ = true;
    endpoints_.push_back(std::move(endpoint));
  }
  for (auto& endpoint : before) {
    if (endpoint) endpoint.release()->cut();
  }
  wake_waiters();
}

Endpoint* ServicePool::pick(model::Balance balance) {
  const MonotonicTime now = host_.loop().now();
  if (balance == model::Balance::kRoundRobin || endpoints_.size() < 2) return pick_round_robin(now);
  // Looking starts at another one each time, so that equals take turns.
  Endpoint* best = nullptr;
  const size_t count = endpoints_.size();
  next_ = next_ + 1 < count ? next_ + 1 : 0;
  for (size_t i = 0, at = next_; i < count; ++i, at = at + 1 < count ? at + 1 : 0) {
    Endpoint& endpoint = *endpoints_[at];
    if (!endpoint.usable(now)) continue;
    // in_flight / weight, compared without dividing
    if (best == nullptr ||
        uint64_t{endpoint.in_flight_} * best->weight_ < uint64_t{best->in_flight_} * endpoint.weight_) {
      best = &endpoint;
    }
  }
  return best;
}

Endpoint* ServicePool::pick_round_robin(MonotonicTime now) {
  const size_t count = endpoints_.size();
  if (!weighted_) {
    for (size_t i = 0; i < count; ++i) {
      next_ = next_ + 1 < count ? next_ + 1 : 0;
      if (endpoints_[next_]->usable(now)) return endpoints_[next_].get();
    }
    return nullptr;
  }
  // Smooth weighted round-robin: each earns its weight, the richest serves and pays what all earned.
  Endpoint* best = nullptr;
  int64_t total = 0;
  for (auto& endpoint : endpoints_) {
    if (!endpoint->usable(now)) continue;
    endpoint->credit_ += endpoint->weight_;
    total += endpoint->weight_;
    if (best == nullptr || endpoint->credit_ > best->credit_) best = endpoint.get();
  }
  if (best != nullptr) best->credit_ -= total;
  return best;
}

bool ServicePool::enqueue(Waiter& waiter) {
  if (closing_ || waiting_ >= host_.limits().queue) return false;
  waiters_.push_back(waiter);
  ++waiting_;
  MonotonicTime soonest = MonotonicTime::max();
  for (auto& endpoint : endpoints_) {
    if (endpoint->accepting_) soonest = std::min(soonest, endpoint->paused_until_);
  }
  if (soonest != MonotonicTime::max() && !pause_over_.armed()) pause_over_.start_at(soonest);
  return true;
}

void ServicePool::dequeue(Waiter& waiter) {
  if (!waiter.linked()) return;
  waiter.unlink();
  --waiting_;
}

void ServicePool::on_pause_over(int /*result*/) { wake_waiters(); }

void ServicePool::wake_waiters() {
  pause_over_.cancel();
  // Those that find nothing enqueue again, behind this round.
  List<Waiter> round;
  while (Waiter* waiter = waiters_.front()) round.push_back(*waiter);
  while (Waiter* waiter = round.front()) {
    dequeue(*waiter);
    waiter->on_endpoint_available();
  }
}

bool ServicePool::close_idle_since(MonotonicTime before) {
  bool left = false;
  for (auto& endpoint : endpoints_) {
    while (Upstream* oldest = endpoint->idle_.back()) {
      if (oldest->idle_since_ > before) break;
      oldest->discard();
    }
    left = left || !endpoint->idle_.empty();
  }
  return left;
}

}  // namespace freehold::gateway
