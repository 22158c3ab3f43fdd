// Every limit of the gateway, with its meaning, unit and default. What comes from outside is held to these.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"

namespace freehold::gateway {

struct Limits {
  // ---- what a client may send
  size_t head_bytes = 16 * 1024;            // request line and headers; more is answered 431
  size_t headers = 100;                     // header lines; more is answered 431
  uint64_t body_bytes = uint64_t{1} << 30;  // one request's body; more is answered 413

  // ---- how long it may take
  Duration idle = std::chrono::seconds(75);                  // a kept-alive client connection without a request
  Duration head = std::chrono::seconds(10);                  // from a request's first byte to the end of its head; 408
  Duration body = std::chrono::seconds(30);                  // without any progress of a body, either way
  Duration request = std::chrono::hours(24);                 // one request in all; bounds endless streams
  Duration tunnel_idle = std::chrono::hours(2);              // an upgraded or relayed connection without a byte
  Duration linger = std::chrono::seconds(2);                 // reading on after a refusal, so that the client sees it
  Duration upstream_connect = std::chrono::seconds(2);       // per attempt; then the next instance, or 504
  Duration upstream_response = std::chrono::seconds(60);     // from the last byte sent to the first of the answer; 504
  Duration upstream_stream = std::chrono::minutes(10);       // between two pieces of an answer that has begun
  Duration upstream_idle = std::chrono::seconds(55);         // a pooled connection without a request
  Duration upstream_refresh = std::chrono::seconds(30);      // until outside upstreams are resolved again
  Duration endpoint_pause = std::chrono::milliseconds(500);  // an endpoint that refused a connection is left alone

  // ---- how many
  size_t connections = 16384;        // clients per core; over it, idle ones are closed, then new ones get 503
  size_t buffers = 8192;             // of kBufferBytes per core: the bound on memory for bytes under way
  size_t upstream_idle_each = 1024;  // pooled connections per endpoint and core
  uint32_t attempts = 4;             // to get one request answered: the first and the retries

  // ---- waiting for an instance: a service without one right now is most likely being restarted
  size_t queue = 1024;                                // requests waiting per service and core; over it, 503
  Duration queue_deadline = std::chrono::seconds(5);  // then 503 with Retry-After
};

}  // namespace freehold::gateway
