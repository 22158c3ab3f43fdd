// Resolver: names to addresses, without blocking the loop.
//
// Asks /etc/hosts, then the servers of /etc/resolv.conf for A and AAAA together, and orders the answers by what is
// likely to be reachable (RFC 6724). Answers are kept for their TTL within bounds, failures for a moment; questions for
// the same name at the same time are asked once. /etc/resolv.conf is read again when it changed.
//
// Ownership: handlers are kept until called or cancelled; destroying the resolver drops them. It may be destroyed
// within a handler. Threads: the loop's. Limits: see Options. Names: at most 253 bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "runtime/loop.h"

namespace freehold::net {

struct ResolverOptions {
  Duration least_ttl = std::chrono::seconds(5);  // a TTL of 0 must not mean a question per request
  Duration most_ttl = std::chrono::minutes(5);
  Duration failure_ttl = std::chrono::seconds(2);
  Duration timeout = std::chrono::seconds(2);  // of the first try of a server; later ones wait longer
  int tries = 3;
  size_t most_addresses = 32;  // of one answer; the rest is dropped
  size_t most_names = 4096;    // kept
  size_t most_waiting = 4096;  // handlers; beyond that kExhausted
  std::string servers;         // "127.0.0.1:5353,..."; empty: those of the system
};

class Resolver {
 public:
  using Addresses = std::vector<SocketAddress>;
  // kNotFound if the name does not exist or has no address, kTimeout or kUnavailable if no server could tell.
  using Handler = std::function<void(Result<Addresses>)>;
  using Id = uint64_t;

  static Result<std::unique_ptr<Resolver>> create(runtime::Loop& loop, const ResolverOptions& options = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // Calls `handler` once, from the loop, with at least one address (with `port` set) or an error. A numeric address is
  // its own answer.
  Id resolve(std::string_view name, uint16_t port, Handler handler);
  // The handler will not be called. Nothing happens if it was.
  void cancel(Id id);

 private:
  class Implementation;
  explicit Resolver(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace freehold::net
