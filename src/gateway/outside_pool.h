// OutsidePool: keeps a pool's endpoints up to date with what the names of its outside upstreams resolve to.
//
// Names are resolved in the background, again every Limits::upstream_refresh (the resolver knows how long an answer
// holds). While a name does not resolve, the addresses that it last had stay. Only addresses of the family that the
// resolver prefers are used, since the others most likely lead to the same servers. Threads: the core's own.
#pragma once

#include <memory>
#include <vector>

#include "gateway/endpoint.h"
#include "net/resolve.h"

namespace freehold::gateway {

class OutsidePool {
 public:
  OutsidePool(net::Resolver& resolver, ServicePool& pool, const std::vector<model::Upstream>& upstreams);
  OutsidePool(const OutsidePool&) = delete;
  OutsidePool& operator=(const OutsidePool&) = delete;
  ~OutsidePool();

 private:
  static constexpr Duration kRetry = std::chrono::seconds(1);  // while a name does not resolve

  struct Name {
    model::Upstream upstream;
    std::vector<Address> addresses;
    net::Resolver::Id question = 0;
    bool asking = false;
  };
  void ask();
  void answered(Name& name, const Result<net::Resolver::Addresses>& answer);
  void update();
  void on_refresh(int result);

  net::Resolver& resolver_;
  ServicePool& pool_;
  std::vector<std::unique_ptr<Name>> names_;
  runtime::Timer refresh_;
  bool said_ = false;  // that a name does not resolve
};

}  // namespace freehold::gateway
