// What planning costs at the size that Freehold promises: 10,000 services with 100,000 instances in under 1 s and 500
// MB.
//
// Each benchmark reports `peak_rss_mb` of the whole program, with both generations and the node's report in memory, and
// says that it failed where the promise is not kept.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <sys/resource.h>

#include "control/plan.h"

namespace freehold::control {
namespace {

constexpr int kServices = 10'000;
constexpr uint32_t kReplicas = 10;
constexpr double kMostSeconds = 1.0;
constexpr double kMostMegabytes = 500.0;

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

// Processor time: a machine that does something else at the same time keeps no promise of elapsed time.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct Large {
  Generation generation;
  Allocations allocations;
  Composed current;
  model::NodeObserved observed;
};

const Large& large() {
  static const Large made = [] {
    Large out;
    out.generation.number = 1;
    out.generation.organisation.routes = {{"coop.example", {}}};
    for (int i = 0; i < kServices; ++i) {
      model::Service service;
      service.name = fmt::format("service-{:05}", i);
      service.run = {fmt::format("./bin/{}", service.name), "--port", "${PORT}"};
      service.replicas = kReplicas;
      for (int key = 0; key < 5; ++key) service.env[fmt::format("KEY_{}", key)] = fmt::format("value {} of {}", key, i);
      service.health.kind = model::HealthKind::kHttp;
      service.health.path = "/health";
      if (i > 0) {
        service.needs = {fmt::format("service-{:05}", i / 2)};
        service.env["UPSTREAM"] = fmt::format("http://${{service.{}.address}}/", service.needs[0]);
      }
      out.allocations.addresses[service.name] = static_cast<uint16_t>(20'000 + i);
      out.generation.releases[service.name] = fmt::format("{:064x}", i);
      out.generation.organisation.routes[0].paths.push_back(
          {.pattern = "/" + service.name, .prefix = true, .service = service.name});
      out.generation.organisation.services.emplace(service.name, std::move(service));
    }
    out.current = *compose(out.generation, out.allocations, {});
    for (const auto& [name, service] : out.current.services) {
      for (uint32_t i = 1; i <= kReplicas; ++i) {
        model::ObservedInstance& instance = out.observed.instances.emplace_back();
        instance.id = fmt::format("{}.{}", name, i);
        instance.service = name;
        instance.fingerprint = service->spec.runtime.fingerprint;
        instance.state = model::InstanceState::kHealthy;
        instance.serving = true;
      }
    }
    return out;
  }();
  return made;
}

enum Edit { kNone, kOneLine, kEveryService };

Generation edited(Edit edit) {
  Generation generation = large().generation;
  ++generation.number;
  int left = edit == kNone ? 0 : edit == kOneLine ? 1 : kServices;
  for (auto& [name, service] : generation.organisation.services) {
    if (left-- <= 0) break;
    service.env["KEY_0"] = "changed";
  }
  return generation;
}

void compose_and_plan(benchmark::State& state, Edit edit) {
  const Large& base = large();
  Generation generation = edited(edit);
  size_t changes = 0;
  uint64_t composed_anew = 0;
  double started = cpu_seconds();
  for (auto _ : state) {
    Composed desired = *compose(generation, base.allocations, {}, &base.current);
    Plan plan = make_plan(desired, &base.current, &base.observed, {}, {});
    changes = plan.changes.size();
    composed_anew = desired.composed_anew;
    benchmark::DoNotOptimize(plan);
  }
  state.counters["changes"] = static_cast<double>(changes);
  state.counters["composed_anew"] = static_cast<double>(composed_anew);
  state.counters["peak_rss_mb"] = peak_rss_mb();
  double each = (cpu_seconds() - started) / static_cast<double>(state.iterations());
  if (each > kMostSeconds) state.SkipWithError(fmt::format("a plan took {:.2f} s, more than 1 s", each).c_str());
  if (peak_rss_mb() > kMostMegabytes)
    state.SkipWithError(fmt::format("it took {:.0f} MB, more than 500 MB", peak_rss_mb()).c_str());
}

void compose_from_nothing(benchmark::State& state) {
  const Large& base = large();
  for (auto _ : state) {
    Composed composed = *compose(base.generation, base.allocations, {});
    benchmark::DoNotOptimize(composed);
  }
  state.counters["peak_rss_mb"] = peak_rss_mb();
}

// In this order, so that each peak is that of the work so far.
BENCHMARK_CAPTURE(compose_and_plan, nothing_changed, kNone)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compose_and_plan, one_line_changed, kOneLine)->Unit(benchmark::kMillisecond);
BENCHMARK(compose_from_nothing)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compose_and_plan, every_service_changed, kEveryService)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace freehold::control
