#include "gateway/outside_pool.h"

#include <fmt/core.h>

#include <cstring>

#include "net/address.h"

namespace freehold::gateway {

OutsidePool::OutsidePool(runtime::Loop& /*loop*/, ServicePool& pool, const std::vector<model::Upstream>& upstreams) {
  std::vector<ServicePool::Place> places;
  for (const model::Upstream& upstream : upstreams) {
    auto parsed = net::SocketAddress::parse_ip(upstream.host, upstream.port);
    if (!parsed) continue;
    sockaddr_storage storage{};
    Address address;
    address.length = parsed->to_kernel(storage);
    std::memcpy(&address.storage, &storage, address.length);
    places.push_back({fmt::format("{}:{}", upstream.host, upstream.port), address, true, upstream.weight});
  }
  pool.set_endpoints(places);
}

}  // namespace freehold::gateway
