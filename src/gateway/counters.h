// What one core counts. Written by that core alone, read by any thread: an increment costs a plain load and store.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace freehold::gateway {

class Counter {
 public:
  void add(uint64_t count = 1) { value_.store(get() + count, std::memory_order_relaxed); }
  void subtract(uint64_t count = 1) { value_.store(get() - count, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct alignas(64) Counters {
  std::array<Counter, 6> requests;  // by class of status; [0]: ended without an answer
  Counter in_flight;                // requests
  Counter connections;              // of clients, open now
  Counter accepted;
  Counter shed;     // connections and requests refused for want of room
  Counter tunnels;  // open now
  Counter retries;
  Counter upstream_connects;
  Counter upstream_failures;  // connections that failed before an answer
  Counter bytes_received;     // from clients
  Counter bytes_sent;         // to clients
  Counter log_dropped;
};

}  // namespace freehold::gateway
