// Looking up a route among few and among many.
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "gateway/route_table.h"

namespace freehold::gateway {
namespace {

// A tenth of the routes are hosts, each with ten paths.
std::shared_ptr<const RouteTable> make_table(int64_t routes) {
  model::GatewaySnapshot snapshot;
  for (int64_t host = 0; host < std::max<int64_t>(routes / 10, 1); ++host) {
    model::Route route{fmt::format("host{}.example.org", host), {}};
    for (int path = 0; path < 10; ++path) {
      route.paths.push_back({.pattern = fmt::format("/part{}/", path), .prefix = true, .service = "web"});
    }
    snapshot.routing.routes.push_back(std::move(route));
  }
  return RouteTable::compile(snapshot);
}

void find_by_host(benchmark::State& state) {
  auto table = make_table(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(table->find("host0.example.org", "/part7/some/thing.html"));
}
BENCHMARK(find_by_host)->Arg(10)->Arg(10000);

void find_by_path(benchmark::State& state) {
  model::GatewaySnapshot snapshot;
  snapshot.routing.routes.push_back({"", {}});
  for (int64_t path = 0; path < state.range(0); ++path) {
    snapshot.routing.routes[0].paths.push_back(
        {.pattern = fmt::format("/part{}/", path), .prefix = true, .service = "web"});
  }
  auto table = RouteTable::compile(snapshot);
  for (auto _ : state) benchmark::DoNotOptimize(table->find("any.example.org", "/part7/some/thing.html"));
}
BENCHMARK(find_by_path)->Arg(10)->Arg(10000);

}  // namespace
}  // namespace freehold::gateway
