#include "gateway/outside_pool.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"

namespace freehold::gateway {
namespace {

// Divisible by the usual numbers of addresses, so that a name's weight is shared out among them exactly.
constexpr uint32_t kWeightScale = 60;

Address to_address(const net::SocketAddress& from) {
  sockaddr_storage storage{};
  Address address;
  address.length = std::min<socklen_t>(from.to_kernel(storage), sizeof(address.storage));
  std::memcpy(&address.storage, &storage, address.length);
  return address;
}

}  // namespace

OutsidePool::OutsidePool(net::Resolver& resolver, ServicePool& pool, const std::vector<model::Upstream>& upstreams)
    : resolver_(resolver),
      pool_(pool),
      refresh_(pool.host().loop(), runtime::complete<&OutsidePool::on_refresh>(this)) {
  for (const model::Upstream& upstream : upstreams) {
    names_.push_back(std::make_unique<Name>());
    names_.back()->upstream = upstream;
  }
  ask();
}

OutsidePool::~OutsidePool() {
  for (auto& name : names_) {
    if (name->asking) resolver_.cancel(name->question);
  }
}

void OutsidePool::ask() {
  refresh_.start(pool_.host().limits().upstream_refresh);
  for (auto& entry : names_) {
    Name& name = *entry;
    if (name.asking) continue;
    name.asking = true;
    name.question =
        resolver_.resolve(name.upstream.host, name.upstream.port,
                          [this, &name](const Result<net::Resolver::Addresses>& answer) { answered(name, answer); });
  }
}

void OutsidePool::on_refresh(int /*result*/) { ask(); }

void OutsidePool::answered(Name& name, const Result<net::Resolver::Addresses>& answer) {
  name.asking = false;
  if (!answer || answer->empty()) {
    if (!said_) {
      log_warning("gateway", "upstream {} does not resolve: {}", name.upstream.host,
                  answer ? "no address" : answer.error().message());
    }
    said_ = true;
    refresh_.start(kRetry);
    return;
  }
  said_ = false;
  std::vector<Address> addresses;
  for (const net::SocketAddress& address : *answer) {
    if (address.family() == answer->front().family()) addresses.push_back(to_address(address));
  }
  if (addresses == name.addresses) return;
  name.addresses = std::move(addresses);
  update();
}

void OutsidePool::update() {
  const bool one_each = std::ranges::all_of(names_, [](const auto& name) { return name->addresses.size() <= 1; });
  std::vector<ServicePool::Place> places;
  for (const auto& name : names_) {
    const model::Upstream& upstream = name->upstream;
    for (size_t i = 0; i < name->addresses.size(); ++i) {
      const uint32_t weight =
          one_each ? upstream.weight : upstream.weight * kWeightScale / static_cast<uint32_t>(name->addresses.size());
      places.push_back({fmt::format("{}:{}", upstream.host, upstream.port), name->addresses[i], true, weight});
    }
  }
  pool_.set_endpoints(places);
}

}  // namespace freehold::gateway
